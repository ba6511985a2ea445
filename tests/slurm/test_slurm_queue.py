"""What a real Slurm answers of jobs."""

import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from slurm_cases import needs_slurm, submitted, wait_for

from trafficrl.runs.queue import Queue, QueuedJob

pytestmark = needs_slurm
NO_JOB = "67000001"


def answer_of(*jobs: str) -> dict[str, QueuedJob]:
    queue = Queue()
    answer = queue.ask(jobs)
    assert queue.trouble == ""
    assert answer is not None
    assert abs(datetime.now(timezone.utc) - answer.asked) < timedelta(seconds=20)
    return answer.jobs


def test_each_element_of_an_array_waits_for_its_own_reason() -> None:
    with submitted("sleep 1", "--hold", "--begin=now+1hour", "--array=0-2%1") as job:
        subprocess.run(["scontrol", "release", f"{job}_0"], check=True)
        found = answer_of(f"{job}_0", f"{job}_1", NO_JOB)
    assert found[f"{job}_1"] == QueuedJob(
        state="PENDING", reason="JobHeldUser", requeues=0, start=found[f"{job}_1"].start
    )
    assert found[f"{job}_1"].waits
    assert found[f"{job}_0"].waits
    assert found[f"{job}_0"].reason != "JobHeldUser"
    assert NO_JOB not in found


def test_a_job_that_is_all_that_is_asked_for_may_be_gone() -> None:
    assert answer_of(NO_JOB) == {}
    assert answer_of(NO_JOB, "67000002") == {}


def test_more_jobs_than_a_command_line_takes_are_one_question() -> None:
    with submitted("sleep 1", "--hold") as job:
        found = answer_of(job, *(f"{67_000_000 + i}_{i}" for i in range(20_000)))
    assert found[job].waits
    assert not found.keys() & {"67000000_0", NO_JOB}


def test_times_are_those_of_the_world_whatever_the_user_has_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = datetime.now().astimezone() + timedelta(hours=3)
    with submitted("sleep 1", f"--begin={begin:%Y-%m-%dT%H:%M:%S}") as job:
        # At its first look the scheduler may find the node still taken by what ran before.
        wait_for(lambda: answer_of(job)[job].reason == "BeginTime")
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
        monkeypatch.setenv("SQUEUE_PARTITION", "no_such_partition")
        monkeypatch.setenv("SQUEUE_STATES", "RUNNING")
        found = answer_of(job)[job]
    assert found.state == "PENDING"
    assert found.start == begin.replace(microsecond=0)


def test_a_job_that_was_requeued_runs_or_waits_and_says_how_often() -> None:
    with submitted("sleep 60", "--requeue") as job:
        wait_for(lambda: answer_of(job)[job].runs)
        began = answer_of(job)[job]
        assert (began.requeues, began.waits, began.reason) == (0, False, None)
        assert began.start is not None
        assert abs(datetime.now(timezone.utc) - began.start) < timedelta(seconds=30)
        subprocess.run(["scontrol", "requeue", job], check=True)
        wait_for(lambda: answer_of(job)[job].waits)
        assert answer_of(job)[job].requeues == 1
    ended = answer_of(job)[job]
    assert (ended.state, ended.waits, ended.runs) == ("CANCELLED", False, False)
    # The accounts, where there are some, need not know it yet; they never say that it runs.
    assert {past.state for past in Queue().recall([job, NO_JOB]).values()} <= {"CANCELLED"}


def test_the_same_question_is_not_asked_again_at_once() -> None:
    queue = Queue()
    with submitted("sleep 1", "--hold") as job:
        first = queue.ask([job])
        assert first is not None
        assert queue.ask([job]) is first
    assert queue.ask([job]) is first
    assert first.jobs[job].waits
    later = queue.ask([job, NO_JOB])
    assert later is not None
    assert not later.jobs[job].waits


def test_a_queue_that_answers_too_late_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trafficrl.runs.queue.TIMEOUT_S", 1e-4)
    queue = Queue()
    assert queue.ask(["12"]) is None
    assert queue.trouble == "squeue has not answered in 0.0001 s"


def test_what_squeue_complains_of_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CLUSTERS", "no_such_cluster")
    queue = Queue()
    assert queue.ask(["12"]) is None
    assert queue.trouble.startswith("squeue: error: ")
    assert "no_such_cluster" in queue.trouble
    assert "\n" not in queue.trouble
