"""trafficrl-status beside a real Slurm: runs that wait, run, come back or never begin."""

import json
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from slurm_cases import needs_slurm, submitted, wait_for
from status_cases import FACTS, SCRIPT, change, ended_run, long_ago, many_runs

from trafficrl.app.status import run
from trafficrl.runs.conditions import RunState
from trafficrl.runs.jobs import Job, save_job
from trafficrl.runs.joined import join_queue
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.queue import Queue
from trafficrl.runs.record import RunRecord, RunStatus
from trafficrl.runs.states import read_states

pytestmark = needs_slurm
NO_JOB = "67000001"


def has_job(folder: Path, job: str, **facts: Any) -> Path:
    """The folder tells that this job was submitted for it."""
    now = datetime.now(timezone.utc)
    save_job(RunPaths(folder), Job(cluster="slurm", job=job, submitted=now, **facts))
    return folder


def states(root: Path) -> dict[str, RunState]:
    now = datetime.now(timezone.utc)
    return {state.name: state for state in join_queue(read_states([(root, "")], now), Queue(), now)}


def said(root: Path) -> dict[str, tuple[str, str]]:
    return {name: (state.condition.value, state.note) for name, state in states(root).items()}


def test_a_chain_that_waits_says_what_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        submitted("sleep 1", "--hold", "--array=0-1") as first,
        submitted("sleep 1", "--array=0-1", f"--dependency=aftercorr:{first}") as second,
    ):
        wait_for(lambda: "Dependency" in reason_of(second))
        for seed in range(2):
            before = has_job(tmp_path / "a" / f"{seed}", f"{first}_{seed}")
            log = Path("job/out.log")
            has_job(tmp_path / "b" / f"{seed}", f"{second}_{seed}", after=before, log=log)
        monkeypatch.chdir(tmp_path)
        assert run(["a", "b"]) == 0
        heading, *lines, total = capsys.readouterr().out.splitlines()
        assert run(["b/1", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
    assert heading.split() == ["run", "state", "job", "note"]
    assert [line.split(maxsplit=3) for line in lines] == [
        ["a/0", "pending", f"{first}_0", "JobHeldUser"],
        ["a/1", "pending", f"{first}_1", "JobHeldUser"],
        ["b/0", "pending", f"{second}_0", "waits for a/0"],
        ["b/1", "pending", f"{second}_1", "waits for a/1"],
    ]
    assert total == "4 runs: 4 pending"
    assert document["queue"] is None
    expected = {
        "name": "1",
        "state": "pending",
        "note": "waits for a/1",
        "cluster": "slurm",
        "job": f"{second}_1",
        "after": str(tmp_path / "a" / "1"),
        "log": str(tmp_path / "b" / "1" / "job" / "out.log"),
        "queue_state": "PENDING",
        "queue_reason": "Dependency",
        "requeues": 0,
        "timesteps": None,
    }
    (found,) = document["runs"]
    assert {key: found[key] for key in expected} == expected
    assert datetime.fromisoformat(found["submitted"]).utcoffset() is not None


def reason_of(job: str) -> str:
    words = ["squeue", "--noheader", "--array", "--states=all", "-j", job, "-o", "%T %r"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_what_never_began_names_the_run_that_failed(tmp_path: Path) -> None:
    chain = "--kill-on-invalid-dep=yes"
    with (
        submitted("sleep 1", "--hold") as first,
        submitted("sleep 1", f"--dependency=afterok:{first}", chain) as second,
        submitted("sleep 1", f"--dependency=afterok:{second}", chain) as third,
        submitted("sleep 1", f"--dependency=afterok:{first}") as kept,
    ):
        before = has_job(ended_run(tmp_path / "0", RunStatus.failed, "no space left"), first)
        has_job(tmp_path / "1", second, after=before)
        has_job(tmp_path / "2", third, after=tmp_path / "1")
        has_job(tmp_path / "kept", kept, after=before)
        subprocess.run(["scancel", first], check=True)  # as any other end that is no success
        wait_for(lambda: "CANCELLED" in reason_of(third) and "Never" in reason_of(kept))
        found = said(tmp_path)
    not_started = ("cancelled", "not started: 0 failed: no space left")
    assert found == {
        "0": ("failed", "no space left"),
        "1": not_started,
        "2": not_started,
        "kept": ("pending", "never starts: 0 failed: no space left"),
    }
    assert list(found) == ["0", "1", "2", "kept"]
    # A folder elsewhere is looked into, and named so that it can be found.
    elsewhere = f"not started: {tmp_path / '0'} failed: no space left"
    assert said(tmp_path / "2") == {"2": ("cancelled", elsewhere)}


def test_a_queue_that_has_forgotten_leaves_what_the_folders_say(tmp_path: Path) -> None:
    before = has_job(ended_run(tmp_path / "0", RunStatus.failed, "no space left"), NO_JOB)
    has_job(tmp_path / "1", NO_JOB, after=before)
    has_job(ended_run(tmp_path / "done", RunStatus.finished, "all steps done"), NO_JOB)
    has_job(tmp_path / "next", NO_JOB, after=tmp_path / "done")
    has_job(ended_run(tmp_path / "far", RunStatus.finished, "all steps done"), NO_JOB)
    change(tmp_path / "far", status="running", host="node17", reason=None)
    lost = f"job {NO_JOB} is not in the queue any more, and nothing was written"
    long_ago(tmp_path / "far", minutes=1)
    assert said(tmp_path) == {
        "0": ("failed", "no space left"),
        "1": ("cancelled", "not started: 0 failed: no space left"),
        "done": ("finished", "all steps done"),
        "next": ("lost", lost),
        "far": ("gone", f"on node17; job {NO_JOB} is not in the queue any more"),
    }


def test_a_run_on_another_host_runs_as_long_as_its_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    script = tmp_path / "training.py"
    script.write_text(SCRIPT)
    begin = f"until test -e {tmp_path}/begin; do sleep 0.1; done"
    training = f"exec {sys.executable} {script} {folder} '{json.dumps(FACTS)}'"
    with submitted(f"{begin}; {training}") as job:
        has_job(folder, job)
        wait_for(lambda: said(tmp_path)["run"][0] == "running")
        assert said(tmp_path) == {"run": ("running", "training not begun")}
        (tmp_path / "begin").touch()
        wait_for((folder / "run.json").exists)
        change(folder, host="node17")
        assert said(tmp_path) == {"run": ("running", "on node17")}
        assert run([str(tmp_path), "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)["runs"]
        assert (told["state"], told["cpu_percent"]) == ("running", None)  # its pid means node17's
        subprocess.run(["scancel", job], check=True)
        wait_for(lambda: "CANCELLED" in reason_of(job))
        long_ago(folder, seconds=2)  # run.json holds whole seconds
        assert said(tmp_path) == {"run": ("gone", f"on node17; job {job} ended: CANCELLED")}


def test_a_run_that_was_requeued_waits_with_what_it_has_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with submitted("sleep 60", "--requeue") as job:
        wait_for(lambda: "RUNNING" in reason_of(job))
        has_job(ended_run(tmp_path / "run", RunStatus.stopped, "asked to by SIGTERM"), job)
        long_ago(tmp_path / "run", hours=1)
        subprocess.run(["scontrol", "requeuehold", job], check=True)
        wait_for(lambda: "PENDING" in reason_of(job))
        assert run([str(tmp_path)]) == 0
        _, line, total = capsys.readouterr().out.splitlines()
    assert line.split()[:5] == ["run", "pending", job, "500/2000", "25%"]
    assert "requeued once; job requeued in held state" in line
    assert total == "1 run: 1 pending"


def test_an_end_written_after_the_folder_was_read_is_no_lost_run(tmp_path: Path) -> None:
    for name in ("begun", "waited"):
        has_job(tmp_path / name, NO_JOB)
    RunRecord(tmp_path / "begun" / "run.json")
    change(tmp_path / "begun", host="node17")
    long_ago(tmp_path / "begun", minutes=1)
    now = datetime.now(timezone.utc)
    read = read_states([(tmp_path, "")], now)
    assert [state.condition.value for state in read] == ["running?", "submitted"]
    for name in ("begun", "waited"):
        RunRecord(tmp_path / name / "run.json").end(RunStatus.finished, "all steps done")
    ends = [state.condition.value for state in join_queue(read, Queue(), now)]
    assert ends == ["finished", "finished"]


@pytest.mark.slow  # Slurm keeps a thousand jobs for a day, and takes 20,000 in all
def test_a_thousand_jobs_are_joined_at_once(tmp_path: Path) -> None:
    many_runs(tmp_path, 1000)
    with submitted("sleep 1", "--hold", "--array=0-999") as job:
        folders = sorted(folder.parent for folder in tmp_path.rglob("run.json"))
        facts = json.loads((has_job(folders[0], job) / "job.json").read_text())
        for i, folder in enumerate(folders):
            after = {"job": f"{job}_{i}", "after": str(folders[i - 1]) if i % 10 else None}
            (folder / "job.json").write_text(json.dumps(facts | after))
        start_s = time.process_time()  # other tests may keep the machine busy
        found = states(tmp_path)
        used_s = time.process_time() - start_s
    assert {state.condition.value for state in found.values()} == {"pending"}
    assert used_s < 1.0
