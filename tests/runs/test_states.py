"""What can be said of a run from outside: its own account, and whether its process lives."""

import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from status_cases import FACTS, change, ended_run, living_run, long_ago, many_runs

from trafficrl.runs import states as module
from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.record import RunRecord, RunStatus
from trafficrl.runs.states import find_runs, read_state, read_states


def state_of(folder: Path, **later: float) -> RunState:
    now = datetime.now(timezone.utc) + timedelta(**later)
    found = read_state(folder, "name", now)
    assert found is not None
    return found


def said(folder: Path) -> tuple[str, str]:
    state = state_of(folder)
    return state.condition.value, state.note


def test_a_run_whose_process_lives_is_running_and_gone_once_it_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with living_run(folder) as process:
        assert said(folder) == ("running", "")
        process.kill()
        for _ in range(500):  # until the system has ended it; nobody has waited for it
            if said(folder) != ("running", ""):
                break
            time.sleep(0.01)
        assert said(folder) == ("gone", f"process {process.pid} is gone")
        process.wait()
        assert said(folder) == ("gone", f"process {process.pid} is gone")


def test_a_later_process_of_the_same_number_is_another_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with living_run(folder) as process:
        long_ago(folder, hours=1)
        assert said(folder) == ("gone", f"process {process.pid} is gone")
        # A resumed run began long ago, in a process that has ended since.
        change(folder, started="2020-01-01T00:00:00+00:00", updated=None)
        assert state_of(folder).condition is Condition.gone
        change(folder, updated=datetime.now(timezone.utc).isoformat())
        assert state_of(folder).condition is Condition.running


def test_a_run_that_hangs_is_told_from_one_that_works(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with living_run(folder):
        assert state_of(folder, minutes=9).note == ""
        late = state_of(folder, minutes=11)
    assert (late.condition, late.note) == (Condition.running, "nothing written for a while")


def test_a_run_of_another_host_is_believed_until_it_falls_silent(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with living_run(folder):
        change(folder, host="node17")
        assert said(folder) == ("running?", "on node17")
        later = state_of(folder, minutes=11)
        assert (later.condition, later.note) == (Condition.silent, "on node17")
        change(folder, host=None)
        assert said(folder) == ("running?", "host or process not named")


@pytest.mark.parametrize("status", [status for status in RunStatus if status.value != "running"])
def test_a_run_that_ended_says_why_though_its_process_lives(
    tmp_path: Path, status: RunStatus
) -> None:
    folder = ended_run(tmp_path / "run", status, "line one\n\x1b[31mline two")
    assert said(folder) == (status.value, "line one ?[31mline two")


def test_every_fact_is_read(tmp_path: Path) -> None:
    folder = ended_run(tmp_path / "run", RunStatus.finished, "all steps done")
    change(folder, resumes=2)
    state = state_of(folder)
    numbers = {key: value for key, value in FACTS.items() if key != "last_checkpoint"}
    assert state.resumes == 2
    assert {key: getattr(state, key) for key in numbers} == numbers
    assert state.last_checkpoint == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert state.pid == os.getpid()
    assert state.updated is not None
    assert state.started is not None
    assert abs((datetime.now(timezone.utc) - state.updated).total_seconds()) < 60


def test_an_end_written_while_we_looked_is_no_lost_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = RunRecord(tmp_path / "run.json")

    def ends_now(*_: Any) -> bool:
        record.end(RunStatus.finished, "all steps done")
        return False

    monkeypatch.setattr(module, "process_lives", ends_now)
    assert said(tmp_path) == ("finished", "all steps done")


@pytest.mark.parametrize(
    ("content", "condition", "note"),
    [
        (b"", "damaged", "run.json is damaged: Expecting value"),
        (b'{"status": "runn', "damaged", "run.json is damaged: Unterminated string"),
        (b"\xff\xfe\x00", "damaged", "run.json is damaged: 'utf"),
        (b"[" * 100_000, "damaged", "run.json is damaged: maximum recursion"),
        (b'{"timesteps": ' + b"9" * 5000 + b"}", "damaged", "run.json is damaged: Exceeds"),
        (b"[1, 2]", "damaged", "run.json is damaged: no JSON object"),
        (b"{}", "unknown", "run.json has no status"),
        (b'{"status": "paused"}', "unknown", "run.json has status 'paused'"),
        (b'{"status": 3, "pid": "7"}', "unknown", "run.json has no status; run.json: odd status"),
        (b'{"status": "running"}', "running?", "host or process not named"),
        (b'{"status": "finished", "crashes": -1}', "finished", "run.json: odd crashes"),
        (b'{"status": "finished", "timesteps": 1' + b"0" * 400 + b"}", "finished", "odd timesteps"),
        (b'{"status": "finished", "best_score": NaN}', "finished", "run.json: odd best_score"),
        (b'{"status": "finished", "updated": "2026-01-01T00:00"}', "finished", "odd updated"),
    ],
)
def test_a_damaged_or_foreign_account_is_shown_as_such(
    tmp_path: Path, content: bytes, condition: str, note: str
) -> None:
    (tmp_path / "run.json").write_bytes(content)
    state = state_of(tmp_path)
    assert state.condition.value == condition
    assert note in state.note
    assert len(state.note) < 200


def test_an_account_that_cannot_be_opened_is_shown_as_such(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    assert said(tmp_path) == ("damaged", "run.json cannot be read: Is a directory")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
KEYS = ("status", "reason", "started", "updated", "host", "pid", "resumes", *FACTS)


@settings(max_examples=200, deadline=None)
@given(rows=st.dictionaries(st.sampled_from(KEYS), ANYTHING), running=st.booleans())
def test_no_account_whatever_breaks_the_reading(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, Any], running: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    ours = {"status": "running", "host": os.uname().nodename} if running else {}
    (folder / "run.json").write_text(json.dumps(rows | ours))
    state = state_of(folder)
    assert "\n" not in state.note
    assert state.eta_s is None or abs(state.eta_s) < 1e18


def test_runs_are_found_wherever_they_lie_but_not_inside_their_parts(tmp_path: Path) -> None:
    for name in ("a", "a/chained", "sweep/0", "sweep/1", "evaluation/b", "a/odd"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").touch()
    parts = ("checkpoints", "demand", "evaluation", "inputs", "network")
    for part in (*parts, "tensorboard", "trackers", "work"):
        (tmp_path / "a" / part / "deep").mkdir(parents=True)
        (tmp_path / "a" / part / "deep" / "run.json").touch()
    (tmp_path / "a" / ".hydra").mkdir()
    (tmp_path / "a" / ".hydra" / "run.json").touch()
    (tmp_path / "again").symlink_to(tmp_path)  # a circle
    found = {folder.relative_to(tmp_path).as_posix() for folder, _ in find_runs(tmp_path)}
    assert found == {"a", "a/chained", "a/odd", "sweep/0", "sweep/1", "evaluation/b"}


def test_a_folder_that_cannot_be_looked_into_is_shown(tmp_path: Path) -> None:
    ended_run(tmp_path / "run", RunStatus.finished, "all steps done")
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(20):  # deeper than a path may be long: closed even to root
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    states = read_states([(tmp_path, "")], datetime.now(timezone.utc))
    assert [state.condition.value for state in states] == ["damaged", "finished"]
    assert states[0].note == "the folder cannot be read: File name too long"


def test_what_matters_comes_first_and_then_the_newest(tmp_path: Path) -> None:
    for name, age_h in (("old", 3), ("new", 1), ("middle", 2)):
        ended_run(tmp_path / name, RunStatus.finished, "all steps done")
        long_ago(tmp_path / name, hours=age_h)
    ended_run(tmp_path / "failed", RunStatus.failed, "no space left")
    with living_run(tmp_path / "zz"):
        states = read_states([(tmp_path, "outputs")], datetime.now(timezone.utc))
    names = [f"outputs/{name}" for name in ("zz", "failed", "new", "middle", "old")]
    assert [state.name for state in states] == names


@pytest.mark.slow  # a time, which a busy machine does not keep
def test_a_thousand_runs_are_read_at_once(tmp_path: Path) -> None:
    many_runs(tmp_path, 1000)
    start_s = time.process_time()  # other tests may keep the machine busy
    states = read_states([(tmp_path, "")], datetime.now(timezone.utc))
    assert time.process_time() - start_s < 1.0
    assert len({state.name for state in states}) == 1000
