"""Commands on a network, a demand and a map that somebody else made."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import traffic_cases as cases
from forked_cases import forked
from osm_cases import TOWN

BEGIN_S = 25200


def done(name: str, *words: str, cwd: Path) -> str:
    ended = forked(name, *words, folder=cwd)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def episodes(run: Path) -> Any:
    return json.loads((run / "evaluation" / "results.json").read_text())["episodes"]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with a packed network, packed demand of the morning, and a .sumocfg of both."""
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "my.net.xml.gz").write_bytes(gzip.compress(cases.city().net_file.read_bytes()))
    edges = [street.tail for street in cases.city().streets]
    trips = "".join(
        f'<trip id="{i}" depart="{BEGIN_S - 20 + 4 * i}" from="{edges[i]}" to="{edges[-1 - i]}"/>'
        for i in range(len(edges) // 2)
    )
    (folder / "my.rou.xml.gz").write_bytes(gzip.compress(f"<routes>{trips}</routes>".encode()))
    (folder / "my.sumocfg").write_text(
        '<configuration><net-file value="my.net.xml.gz"/><route-files value="my.rou.xml.gz"/>'
        f'<begin value="{BEGIN_S}"/><end value="{BEGIN_S + 120}"/></configuration>'
    )
    return folder


FILES = (
    "network=net_file",
    "network.file=given/my.net.xml.gz",
    "scenarios=route_file",
    "scenarios.route_file.file=given/my.rou.xml.gz",
    f"scenarios.route_file.begin_s={BEGIN_S}",
    "execution.end_time=120",
)
FEW = ("evaluation.seeds=2", "evaluation.first_seed=3", "evaluation.workers=1")


def test_a_run_on_given_files_can_be_had_again_elsewhere(given: Path, tmp_path: Path) -> None:
    words = (*FILES, *FEW, "hydra.run.dir=first", "simulation.depart_speed=0")
    printed = done("evaluate", *words, cwd=tmp_path)
    assert "2 test seeds of route_file from number 3 on: the given" in printed
    first = episodes(tmp_path / "first")
    assert {episode["seed"] for episode in first} == {3, 4}
    due = sum(-20 + 4 * i >= 0 for i in range(len(cases.city().streets) // 2))
    assert {episode["metrics"]["scheduled"] for episode in first} == {due}
    # Neither the files nor the folder are where they were.
    shutil.rmtree(given)
    (tmp_path / "first").rename(tmp_path / "moved")
    again = ("--config-dir", "moved", "--config-name", "resolved_config", "hydra.run.dir=again")
    done("evaluate", *again, cwd=tmp_path)
    assert episodes(tmp_path / "again") == first


def test_a_sumocfg_says_the_same_in_one_argument(given: Path, tmp_path: Path) -> None:
    one = ("evaluation.seeds=1", "evaluation.workers=1")
    done("evaluate", *FILES, *one, "hydra.run.dir=long", cwd=tmp_path)
    done("evaluate", "sumocfg=given/my.sumocfg", *one, "hydra.run.dir=short", cwd=tmp_path)
    assert episodes(tmp_path / "short") == episodes(tmp_path / "long")


@pytest.mark.slow
def test_a_policy_learns_on_a_map(tmp_path: Path) -> None:
    (tmp_path / "town.osm.gz").write_bytes(gzip.compress(TOWN.encode()))
    words = (
        *("network=osm", "network.file=town.osm.gz", "hydra.run.dir=run"),
        *("scenarios.morning.num_vehicles=30", "scenarios.evening.num_vehicles=30"),
        *("algorithm.n_steps=8", "algorithm.batch_size=8", "execution.total_timesteps=16"),
        *("execution.eval_freq=16", "execution.checkpoint_freq=16", "execution.end_time=120"),
        *("execution.validation_seeds=1", "evaluation.seeds=1", "evaluation.workers=1"),
    )
    done("train", *words, cwd=tmp_path)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["status"] == "finished"
    assert (tmp_path / "run" / "inputs" / "network" / "town.osm.gz").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["network=net_file", "network.file=no.net.xml"], "network.file: there is no file 'no.net"),
        (["sumocfg=no.sumocfg"], "sumocfg no.sumocfg cannot be read: No such file"),
        (["scenarios=route_file"], "scenarios.route_file.file: a value is mandatory"),
    ],
)
def test_a_missing_file_is_one_line_and_leaves_nothing(
    words: list[str], told: str, tmp_path: Path
) -> None:
    ended = forked("evaluate", *words, "hydra.run.dir=run", folder=tmp_path)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_a_comma_is_taken_and_told_as_it_was_given(given: Path, tmp_path: Path) -> None:
    (given / "my.rou.xml.gz").rename(given / "a, $b.rou.xml.gz")
    files = [word for word in FILES if "my.rou" not in word]
    words = (*files, "scenarios.route_file.file='given/a, $b.rou.xml.gz'")
    done("evaluate", *words, "evaluation.seeds=1", "evaluation.workers=1", cwd=tmp_path)
    damaged = given / "a, $b.rou.xml.gz"
    damaged.write_bytes(gzip.compress(b"<routes><trip id='x'/></routes>"))
    ended = forked("evaluate", *words, folder=tmp_path)
    assert ended.returncode == 1
    assert f"route file {damaged}: trip 'x': it has no depart" in ended.stderr


@pytest.mark.parametrize(
    ("begin_s", "edge", "told"),
    [
        (2 * BEGIN_S, "", "scenarios.route_file: "),
        (BEGIN_S, "nowhere", "'nowhere'"),
    ],
)
def test_a_demand_that_cannot_be_driven_is_one_line(
    begin_s: int, edge: str, told: str, given: Path, tmp_path: Path
) -> None:
    if edge:
        trip = f'<trip id="a" depart="{begin_s}" from="{edge}" to="{edge}"/>'
        (given / "my.rou.xml.gz").write_bytes(gzip.compress(f"<routes>{trip}</routes>".encode()))
    words = (*FILES, f"scenarios.route_file.begin_s={begin_s}", "hydra.run.dir=run")
    ended = forked("evaluate", *words, folder=tmp_path)
    assert ended.returncode == 1
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "run" / "evaluation").exists()


def test_a_demand_that_sumo_quits_on_late_is_refused_before_anything_runs(
    given: Path, tmp_path: Path
) -> None:
    edges = [street.tail for street in cases.city().streets]
    ends = f'from="{edges[0]}" to="{edges[-1]}"'
    late = f'<trip id="late" depart="{BEGIN_S + 100}" {ends} departSpeed="200"/>'
    trips = f'<routes><trip id="a" depart="{BEGIN_S}" {ends}/>{late}</routes>'
    (given / "my.rou.xml.gz").write_bytes(gzip.compress(trips.encode()))
    ended = forked("evaluate", *FILES, "hydra.run.dir=run", folder=tmp_path)
    assert ended.returncode == 1
    assert "scenarios.route_file: SUMO would quit on my.rou.xml.gz: Dep" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "run" / "evaluation").exists()


def test_generate_draws_what_was_given_and_says_where_time_went(
    given: Path, tmp_path: Path
) -> None:
    printed = done("generate", *FILES, "hydra.run.dir=run", cwd=tmp_path)
    assert (tmp_path / "run" / "network" / "network.png").stat().st_size > 10_000
    assert (tmp_path / "run" / "demand" / "route_file.png").stat().st_size > 10_000
    due = sum(-20 + 4 * i >= 0 for i in range(len(cases.city().streets) // 2))
    assert f"demand route_file: {due} vehicles" in printed
    (last,) = [line for line in printed.splitlines() if "time:" in line]
    assert "network" in last
    assert "picture of route_file" in last
    assert last.endswith("s together")
