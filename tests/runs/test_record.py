"""The run's own account of itself: whole JSON at any moment."""

import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from trafficrl.errors import RunError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord, RunStatus, read_record


def read(file: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return facts


def test_it_begins_as_running(tmp_path: Path) -> None:
    RunRecord(tmp_path / "run.json", seed=7)
    facts = read(tmp_path / "run.json")
    assert (facts["status"], facts["seed"], facts["pid"]) == ("running", 7, os.getpid())
    assert datetime.fromisoformat(facts["started"]).utcoffset() is not None
    assert facts["wall_s"] >= 0


def test_facts_are_added_and_replaced(tmp_path: Path) -> None:
    record = RunRecord(tmp_path / "run.json", steps=0)
    record.update(steps=64, rate=12.5)
    record.update(steps=128)
    facts = read(tmp_path / "run.json")
    assert (facts["steps"], facts["rate"], facts["status"]) == (128, 12.5, "running")


@pytest.mark.parametrize("status", list(RunStatus))
def test_it_ends_with_a_status_and_a_reason(tmp_path: Path, status: RunStatus) -> None:
    record = RunRecord(tmp_path / "run.json", steps=5)
    record.end(status, "so it was")
    facts = read(tmp_path / "run.json")
    assert (facts["status"], facts["reason"], facts["steps"]) == (status.value, "so it was", 5)


def test_a_fact_that_is_no_json_leaves_the_last_whole_account(tmp_path: Path) -> None:
    record = RunRecord(tmp_path / "run.json", steps=1)
    with pytest.raises(TypeError):
        record.update(steps=object())
    assert read(tmp_path / "run.json")["steps"] == 1
    record.update(steps=2)
    assert read(tmp_path / "run.json")["steps"] == 2


def test_every_file_of_a_run_has_its_own_place(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    names = [name for name, value in vars(RunPaths).items() if isinstance(value, property)]
    places = {name: getattr(paths, name) for name in names}
    assert len(set(places.values())) == len(names) == 17
    assert {place.parent for place in places.values()} == {tmp_path}
    assert places["final_model"].name == "final_model.zip"


def test_checkpoints_sort_by_their_step(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    steps = [64, 500_000, 9_999_999_999]
    files = [paths.checkpoint(step) for step in steps]
    assert files == sorted(files)
    assert files[1] == tmp_path / "checkpoints" / "step_0000500000.zip"


def test_a_run_that_goes_on_keeps_what_it_told_before(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    first = RunRecord(file, timesteps=0, seed=7)
    first.update(timesteps=64)
    first.crashes("training", ["slot 0 died"])
    first.crashes("evaluation", ["a worker died"])
    first.update(episodes_judged=3, verdict="policy has less delay")
    first.end(RunStatus.stopped, "SIGTERM")
    before = read(file)
    assert (before["resumes"], before["crashes"]) == (0, 2)
    second = RunRecord(file, timesteps=0)
    second.crashes("training", ["slot 1 hung"] * 30)
    facts = read(file)
    assert (facts["status"], facts["resumes"], facts["timesteps"]) == ("running", 1, 64)
    assert (facts["started"], facts["seed"]) == (before["started"], 7)
    assert not {"reason", "episodes_judged", "verdict"} & facts.keys()
    assert facts["crashes"] == 32
    assert facts["crash_log"] == ["slot 1 hung"] * 20
    assert facts["wall_s"] >= before["wall_s"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"status": "odd"}', "{}"])
def test_a_damaged_account_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(RunError, match=r"run\.json: damaged") as caught:
        read_record(file)
    assert "\n" not in str(caught.value)


def test_an_account_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "run" / "run.json"
    file.parent.mkdir()
    record = RunRecord(file)
    record.crashes("training", ["slot 0 died"])
    shutil.rmtree(file.parent)
    record.crashes("training", ["slot 0 died"])  # nothing new is to be told
    with pytest.raises(RunError, match=r"run\.json cannot be written: No such file"):
        record.crashes("training", ["slot 0 died", "slot 1 hung"])
