"""Where a run stands when its folder and the queue are believed, each in its turn."""

import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.judging import judge, judge_local
from trafficrl.runs.queue import QueuedJob

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def run_of(condition: str, **facts: Any) -> RunState:
    usual: dict[str, Any] = {"name": "1", "folder": Path("1"), "job": "12_1", "cluster": "slurm"}
    if condition != "submitted":
        usual |= {"updated": NOW - HOUR, "host": "node17", "pid": 7, "eta_s": 60.0}
    return RunState(**usual | facts, condition=Condition(condition))


def queued(state: str, **facts: Any) -> QueuedJob:
    usual: dict[str, Any] = {"state": state, "requeues": 0}
    return QueuedJob(**usual | facts)


def verdict(condition: str, seen: QueuedJob | None, note: str = "", **more: Any) -> tuple[str, str]:
    failure = more.pop("failure", "")
    run = run_of(condition, note=note, **more)
    found = judge(run, seen, NOW, before="0", failure=failure)
    assert found.queue_state == (seen and seen.state)
    return found.condition.value, found.note


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        (None, ""),
        ("Priority", "Priority"),
        ("Dependency", "waits for 0"),
        ("DependencyNeverSatisfied", "never starts: the job of 0 did not succeed"),
    ],
)
def test_a_job_that_waits_says_for_what(reason: str | None, note: str) -> None:
    seen = queued("PENDING", reason=reason)
    assert verdict("submitted", seen) == ("pending", note)
    failed = verdict("submitted", seen, failure="0 failed: no space left")
    never = "never starts: 0 failed: no space left"
    assert failed == ("pending", never if "never" in note else note)


@pytest.mark.parametrize("condition", ["stopped", "failed", "finished", "gone", "running?"])
def test_a_job_that_waits_again_is_pending_whatever_the_run_said(condition: str) -> None:
    again = queued("PENDING", reason="BeginTime", requeues=2, start=NOW + HOUR)
    start = f"{(NOW + HOUR).astimezone():%Y-%m-%d %H:%M}"
    note = f"requeued 2 times; BeginTime; start about {start}"
    assert verdict(condition, again, "time limit reached") == ("pending", note)
    past = queued("CONFIGURING", requeues=1, start=NOW - HOUR)
    assert verdict(condition, past) == ("pending", "requeued once; CONFIGURING")


def test_a_job_that_has_begun_is_running_before_the_training_says_so() -> None:
    began = queued("RUNNING", start=NOW)
    assert verdict("submitted", began) == ("running", "training not begun")
    again = queued("RUNNING", start=NOW, requeues=1)
    for condition in ("stopped", "running?", "silent", "gone", "finished"):
        state = judge(run_of(condition), again, NOW)
        assert (state.condition.value, state.note) == (
            "running",
            "requeued once; training not begun",
        )
        assert (state.host, state.pid, state.eta_s) == (None, None, None)


def test_a_run_of_another_host_is_believed_while_its_job_runs() -> None:
    runs = queued("RUNNING", start=NOW - 2 * HOUR)
    assert verdict("running?", runs, "on node17") == ("running", "on node17")
    silent = ("running", "requeued once; on node17; nothing written for a while")
    requeued = queued("RUNNING", start=NOW - 2 * HOUR, requeues=1)
    assert verdict("silent", requeued, "on node17") == silent
    # Its process was killed, and something else keeps the job.
    gone = ("gone", "process 7 is gone; its job 12_1 runs on")
    assert verdict("gone", runs, "process 7 is gone") == gone
    for condition in ("stopped", "failed", "finished"):
        assert verdict(condition, runs, "as it said") == (condition, "as it said")


@pytest.mark.parametrize("condition", ["running?", "silent", "gone"])
def test_a_run_whose_job_has_ended_is_gone(condition: str) -> None:
    ended = ("gone", "on node17; job 12_1 ended: TIMEOUT")
    assert verdict(condition, queued("TIMEOUT"), "on node17") == ended
    forgotten = ("gone", "on node17; job 12_1 is not in the queue any more")
    assert verdict(condition, None, "on node17") == forgotten


@pytest.mark.parametrize("seen", [None, queued("CANCELLED"), queued("COMPLETED")])
@pytest.mark.parametrize("condition", ["stopped", "failed", "finished"])
def test_a_run_that_told_its_end_is_believed(condition: str, seen: QueuedJob | None) -> None:
    assert verdict(condition, seen, "as it said", failure="0 failed") == (condition, "as it said")


def test_a_job_that_wrote_nothing_is_lost_cancelled_or_failed() -> None:
    lost = ("lost", "job 12_1 is not in the queue any more, and nothing was written")
    assert verdict("submitted", None) == lost
    failure = "0 failed: no space left"
    not_started = ("cancelled", f"not started: {failure}")
    assert verdict("submitted", None, failure=failure) == not_started
    for reason in (None, "DependencyNeverSatisfied"):
        cancelled = queued("CANCELLED", reason=reason)
        assert verdict("submitted", cancelled, failure=failure) == not_started
    # The run before may have been submitted anew since.
    done = ("cancelled", "not started: the job of 0 did not succeed")
    assert verdict("submitted", queued("CANCELLED", reason="DependencyNeverSatisfied")) == done
    by_user = ("cancelled", "job 12_1 was cancelled before the training began")
    assert verdict("submitted", queued("CANCELLED")) == by_user
    by_hand = queued("CANCELLED", reason="JobHeldUser")
    assert verdict("submitted", by_hand, failure=failure) == by_user
    failed = ("failed", "job 12_1 ended before the training began: NODE_FAIL; see job/out.log")
    assert verdict("submitted", queued("NODE_FAIL"), log=Path("job/out.log")) == failed


@pytest.mark.parametrize("seen", [None, queued("PENDING", requeues=1), queued("COMPLETED")])
def test_what_lives_here_or_wrote_just_now_is_believed_first(seen: QueuedJob | None) -> None:
    requeued = "requeued once" if seen and seen.requeues else ""
    assert verdict("running", seen) == ("running", requeued)
    later = NOW + timedelta(seconds=5)
    note = f"{requeued}; on node17" if requeued else "on node17"
    assert verdict("running?", seen, "on node17", updated=later) == ("running", note)
    assert verdict("finished", seen, updated=later) == ("finished", "")


@pytest.mark.parametrize("condition", ["damaged", "unknown"])
def test_no_queue_mends_a_damaged_account(condition: str) -> None:
    for seen in (None, queued("PENDING"), queued("RUNNING"), queued("CANCELLED")):
        assert verdict(condition, seen, "run.json is damaged") == (
            condition,
            "run.json is damaged",
        )


def test_a_run_submitted_as_a_process_of_this_host_lives_as_long_as_that() -> None:
    local = run_of("submitted", cluster="local", job=str(os.getpid()), submitted=NOW + 9999 * HOUR)
    found = judge_local(local)
    assert (found.condition.value, found.note) == ("running", "training not begun")
    with subprocess.Popen(["true"]) as process:
        process.wait()
    gone = run_of("submitted", cluster="local", job=str(process.pid), submitted=NOW)
    found = judge_local(gone)
    note = f"process {process.pid} is not there, and nothing was written"
    assert (found.condition.value, found.note) == ("lost", note)
    found = judge_local(gone, failure="0 failed")
    assert (found.condition.value, found.note) == ("cancelled", "not started: 0 failed")
    other = run_of("submitted", cluster="local", job=f"{os.getpid() // 10}_{os.getpid() % 10}")
    assert judge_local(other) == other
    assert judge_local(run_of("stopped", cluster="local")) == run_of("stopped", cluster="local")
