"""trafficrl-status of submitted runs on a host that has no queue to ask."""

import json
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from status_cases import ended_run

from trafficrl.app.status import View, run
from trafficrl.app.status_table import terminal_table
from trafficrl.runs.jobs import Job, save_job
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def no_slurm_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def submit(folder: Path, job: str) -> Path:
    save_job(RunPaths(folder), Job(cluster="slurm", job=job, submitted=NOW))
    return folder


def test_that_the_queue_cannot_be_asked_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for element in range(3):
        submit(tmp_path / f"{element}", f"12_{element}")
    assert run([str(tmp_path)]) == 0
    *_, last, total, trouble = capsys.readouterr().out.splitlines()
    assert last.split() == ["2", "submitted", "12_2", "job", "12_2"]
    assert total == "3 runs: 3 submitted"
    assert trouble == "there is no squeue on this host"
    assert run([str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["queue"] == "there is no squeue on this host"
    assert document["runs"][0]["queue_state"] is None
    console = Console(file=StringIO(), width=60)
    console.print(terminal_table(*View([(tmp_path, "")]).look(), 60, None))
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().splitlines()[-1].strip() == "there is no squeue on this host"


def test_runs_that_tell_their_end_need_no_queue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(ended_run(tmp_path / "run", RunStatus.finished, "all steps done"), "12")
    assert run([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 run: 1 finished"


def test_a_damaged_job_is_shown_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submit(tmp_path / "0", "12").joinpath("job.json").write_text("{")
    (ended_run(tmp_path / "1", RunStatus.finished, "all steps done") / "job.json").write_text("{}")
    assert run([str(tmp_path)]) == 0
    _, first, second, total = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=2)[:2] == ["0", "damaged"]
    assert first.split(maxsplit=2)[2].startswith("job.json: damaged: Expecting property name")
    assert "all steps done; job.json: damaged: without cluster, job, submitted" in second
    assert total == "2 runs: 1 damaged, 1 finished"
