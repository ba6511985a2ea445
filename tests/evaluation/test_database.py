"""Real DuckDB and real processes on one folder: what is whole is read, what is not is not."""

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from result_cases import NOTHING

from trafficrl.errors import RunError
from trafficrl.evaluation.database import EvaluationDatabase, SumoBuild
from trafficrl.evaluation.outcome import EpisodeIdentity, Outcome, SliceQueues
from trafficrl.evaluation.slices import SliceMetrics

TESTS = Path(__file__).parent.parent
OPTIONS = "--step-length 1.0 --time-to-teleport 300"

SLICE = SliceMetrics(
    vehicle_type="all",
    slice_begin_s=None,
    scheduled=3,
    arrived=2,
    delay_s=0.1 + 0.2,  # a number that only all of its digits give back
    travel_time_s=1 / 3,
    waiting_time_s=0.0,
    depart_delay_s=1e-300,
    stops_per_veh=1.0,
    distance_m=1e300,
    co2_g=2.5,
    fuel_g=0.7,
)


def identity(seed: int = 0, configuration: str = "c" * 64, **changes: Any) -> EpisodeIdentity:
    whole = EpisodeIdentity(
        run="/runs/it's [one]",
        checkpoint="",
        controller='the "fixed" plan, né',
        kind="fixed",
        parameters="{}",
        scenario="light",
        split="test",
        seed=seed,
        sumo_seed=1_610_612_736 + seed,
        setting="s" * 64,
        configuration=configuration,
        reward_terms="r" * 64,
        sumo="1.28.0",
        options=OPTIONS,
        emissions=True,
        slice_s=900.0,
    )
    return replace(whole, **changes)


def outcome(delay_s: float = 0.1 + 0.2, reward: float = -1.5) -> Outcome:
    metrics = replace(NOTHING, delay_s=delay_s, scheduled=3, arrived=2, co2_g=2.5, fuel_g=0.7)
    part = replace(SLICE, vehicle_type="public", slice_begin_s=900.0, co2_g=2.5)
    over_time = SliceQueues(450.0, {"né": (0.0, 2 / 3), "street 1": (1e-300, 0.0)})
    return Outcome(metrics, (SLICE, part), reward, {"né": 1 / 3, "street 1": 1e-300}, over_time)


@pytest.mark.parametrize("name", ["plain", "it's [a=b] *?", "delay_s=5"])
def test_what_is_recorded_comes_back_to_the_last_digit(name: str, tmp_path: Path) -> None:
    database = EvaluationDatabase(tmp_path / name)
    asked = [identity(seed) for seed in range(3)]
    for one in asked[:2]:
        database.record(one, outcome(delay_s=one.seed + 1 / 3))
    assert database.known(asked) == {one: outcome(one.seed + 1 / 3) for one in asked[:2]}
    assert [one.identity for one in database.episodes()] == asked[:2]


def test_a_database_that_is_not_there_knows_nothing(tmp_path: Path) -> None:
    database = EvaluationDatabase(tmp_path / "nowhere")
    assert database.known([identity()]) == {}
    assert database.episodes() == []
    assert list(tmp_path.iterdir()) == []


def test_an_episode_in_which_nobody_drove_is_known(tmp_path: Path) -> None:
    database = EvaluationDatabase(tmp_path)
    database.record(identity(), Outcome(NOTHING, (), 0.0))
    assert database.known([identity()]) == {identity(): Outcome(NOTHING, (), 0.0)}


@pytest.mark.parametrize(
    "changes",
    [
        {"configuration": "c" * 63 + "d"},
        {"sumo": "1.29.0"},
        {"seed": 1},
        {"slice_s": 60.0},
    ],
    ids=str,
)
def test_another_configuration_sumo_seed_or_slice_is_not_known(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    database = EvaluationDatabase(tmp_path)
    database.record(identity(), outcome())
    assert list(database.known([identity(), identity(**changes)])) == [identity()]


def test_who_asks_under_another_name_gets_the_same(tmp_path: Path) -> None:
    database = EvaluationDatabase(tmp_path)
    database.record(identity(), outcome())
    other = identity(run="elsewhere", controller="baseline", scenario="other name")
    assert database.known([other]) == {other: outcome()}


def test_emissions_are_given_where_they_were_measured_and_only_when_asked(tmp_path: Path) -> None:
    with_them, without = identity(emissions=True), identity(emissions=False)
    database = EvaluationDatabase(tmp_path)
    nothing: dict[str, Any] = {"co2_g": None, "fuel_g": None}
    plain = outcome()
    plain = replace(
        plain,
        metrics=replace(plain.metrics, **nothing),
        slices=tuple(replace(one, **nothing) for one in plain.slices),
    )
    database.record(without, plain)
    assert database.known([with_them, without]) == {without: plain}
    database.record(with_them, outcome())
    assert database.known([with_them, without]) == {with_them: outcome(), without: plain}
    assert [one.metrics.co2_g for one in database.episodes()] == [2.5], "once, with all it has"
    alone = EvaluationDatabase(tmp_path / "alone")
    alone.record(with_them, outcome())
    assert alone.known([with_them, without]) == {with_them: outcome(), without: plain}


def test_a_reward_counts_only_for_the_same_reward(tmp_path: Path) -> None:
    database = EvaluationDatabase(tmp_path)
    database.record(identity(), outcome(reward=-1.0))
    other = identity(reward_terms="o" * 64)
    assert database.known([other]) == {other: replace(outcome(), reward=None)}
    database.record(other, outcome(reward=-7.0))
    assert database.known([identity(), other]) == {
        identity(): outcome(reward=-1.0),
        other: outcome(reward=-7.0),
    }


def test_results_of_two_builds_of_sumo_never_stand_in_one_table(tmp_path: Path) -> None:
    database = EvaluationDatabase(tmp_path)
    here = SumoBuild("1.28.0", OPTIONS)
    newer, other = replace(here, sumo="1.29.0"), replace(here, options=OPTIONS + " --pedestrian x")
    for build in (here, newer, other):
        asked = identity(sumo=build.sumo, options=build.options)
        database.record(asked, outcome())
        database.record(asked, outcome())  # by two processes that began at once
    groups = database.groups()
    assert set(groups) == {here, newer, other}
    for build, episodes in groups.items():
        assert [(one.identity.sumo, one.identity.options) for one in episodes] == [
            (build.sumo, build.options)
        ]
        assert database.episodes(build) == episodes
    with pytest.raises(RunError, match=r"cannot be compared: .*1\.28\.0 with .*1\.29\.0 with"):
        database.episodes()
    assert database.episodes(replace(here, sumo="1.20.0")) == []


def episode_files(folder: Path) -> list[Path]:
    return sorted((folder / "episodes").iterdir())


@pytest.mark.parametrize("table", ["episodes", "slices", "queues"])
@pytest.mark.parametrize("damage", ["empty", "cut", "bytes", "other columns", "other types"])
def test_a_damaged_shard_is_named_and_left_out(
    damage: str, table: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = EvaluationDatabase(tmp_path)
    first, second = identity(0), identity(1)
    database.record(first, outcome())
    database.record(second, outcome())
    broken = sorted((tmp_path / table).iterdir())[0]
    column = "queue_veh" if table == "queues" else "delay_s"
    whole = broken.read_bytes()
    if damage == "empty":
        broken.write_bytes(b"")
    elif damage == "cut":
        broken.write_bytes(whole[: len(whole) // 2])
    elif damage == "bytes":
        broken.write_bytes(whole[:60] + b"\xff" * 400 + whole[460:])
    else:
        lost = damage == "other columns"
        change = f"EXCLUDE ({column})" if lost else f"REPLACE ('x' AS {column})"
        other = tmp_path / "other.parquet"
        duckdb.from_parquet(str(broken)).project(f"* {change}").write_parquet(str(other))
        other.replace(broken)
    with caplog.at_level(logging.WARNING):
        assert database.known([first, second]) == {second: outcome()}
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"{broken} is ")
    assert "left out: " in message
    assert "\n" not in message
    if damage == "other columns":
        assert message.endswith(f"it has no column {column}")
    database.record(first, outcome())
    assert database.known([first, second]) == {first: outcome(), second: outcome()}


def test_a_column_that_came_later_hides_no_older_shard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = EvaluationDatabase(tmp_path)
    database.record(identity(0), outcome())
    database.record(identity(1), outcome())
    for index in (0, 1):  # whether it is met first or last
        newer, other = episode_files(tmp_path)[index], tmp_path / "other.parquet"
        columns = "5 AS first, *, 7 AS last"
        duckdb.from_parquet(str(newer)).project(columns).write_parquet(str(other))
        other.replace(newer)
        assert len(database.known([identity(0), identity(1)])) == 2
        assert len(database.episodes()) == 2
    assert not caplog.records


def test_queues_from_before_they_were_kept_over_time_still_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = EvaluationDatabase(tmp_path)
    database.record(identity(0), outcome())
    database.record(identity(1), outcome())
    older, other = sorted((tmp_path / "queues").iterdir())[0], tmp_path / "other.parquet"
    lost = "* EXCLUDE (slice_s, slice_edge, slice_queue_veh)"
    duckdb.from_parquet(str(older)).project(lost).write_parquet(str(other))
    other.replace(older)
    assert database.known([identity(0), identity(1)]) == {
        identity(0): replace(outcome(), slice_queues=None),
        identity(1): outcome(),
    }
    assert not caplog.records


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = EvaluationDatabase(tmp_path / "file")
    with pytest.raises(RunError, match=r"file/slices/.*\.parquet cannot be written: ") as error:
        database.record(identity(), outcome())
    assert "\n" not in str(error.value)
    with pytest.raises(RunError, match="file/episodes cannot be read: Not a directory"):
        database.known([identity()])


WRITER = """
import os, sys, time
from itertools import count
from pathlib import Path
from test_database import identity, outcome
from trafficrl.evaluation.database import EvaluationDatabase
number, most, pauses = (int(word) for word in sys.argv[2:])
database = EvaluationDatabase(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
flush = os.fsync
def pause(file):
    global pauses
    pauses -= 1
    if pauses == 0:  # the file is written, but nobody may read it yet
        print("paused", flush=True)
        time.sleep(60)
    flush(file)
os.fsync = pause
for seed in count():
    if seed == most:
        break
    database.record(identity(seed, f"{number:064d}"), outcome(delay_s=seed + number / 7))
    print(seed, flush=True)
"""


def writer(folder: Path, number: int, most: int, pauses: int = 0) -> subprocess.Popen[str]:
    """Records so many episodes (-1: without end), and stops within the pauses-th file."""
    path = os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "evaluation")))
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), *map(str, (number, most, pauses))],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_several_processes_write_at_once_while_another_reads(tmp_path: Path) -> None:
    writers = [writer(tmp_path, number, 12) for number in range(4)]
    database, seen = EvaluationDatabase(tmp_path), [0]
    try:
        assert [said(process) for process in writers] == ["ready"] * 4
        for process in writers:
            begin(process)
        while any(process.poll() is None for process in writers):
            seen.append(len(database.episodes()))
        assert [process.wait() for process in writers] == [0] * 4
    finally:
        for process in writers:
            process.kill()
            process.communicate()
    assert seen == sorted(seen)
    assert any(0 < count < 48 for count in seen), "it was read while it was written"
    asked = [identity(seed, f"{number:064d}") for number in range(4) for seed in range(12)]
    expected = {one: outcome(one.seed + int(one.configuration) / 7) for one in asked}
    assert database.known(asked) == expected
    assert len(database.episodes()) == 48


@pytest.mark.parametrize("pauses", [4, 5, 6], ids=["slices", "queues", "episodes"])
def test_a_writer_killed_within_a_file_leaves_none(pauses: int, tmp_path: Path) -> None:
    with writer(tmp_path, 0, -1, pauses) as process:
        begin(process)
        assert [said(process) for _ in range(3)] == ["ready", "0", "paused"]
        process.kill()
    table = tmp_path / ("slices", "queues", "episodes")[pauses - 4]
    (left,) = (file for file in table.iterdir() if file.suffix != ".parquet")
    assert left.stat().st_size > 100
    database, asked = EvaluationDatabase(tmp_path), [identity(n, f"{0:064d}") for n in range(2)]
    assert database.known(asked) == {asked[0]: outcome(0.0)}
    assert duckdb.read_parquet(f"{tmp_path}/episodes/*.parquet").fetchall()[1:] == []
    database.record(asked[1], outcome())
    assert list(database.known(asked)) == asked


def test_killed_writers_leave_nothing_half_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed at some moment of their endless writing, again and again."""
    database, done = EvaluationDatabase(tmp_path), 0
    for number in range(6):
        with writer(tmp_path, number, -1) as process:
            assert said(process) == "ready"
            begin(process)
            finished = int(said(process)) + 1
            time.sleep(0.001 * number)
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            finished += len(process.stdout.read().splitlines())
        asked = [identity(seed, f"{number:064d}") for seed in range(finished + 1)]
        known = database.known(asked)
        assert list(known)[:finished] == asked[:finished], "what was reported is there"
        done += len(known)
        for one, found in known.items():
            assert found == outcome(one.seed + number / 7)
    assert len(database.episodes()) == done >= 6
    assert not caplog.records, "no damaged file was met"
