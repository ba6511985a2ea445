"""What is made of what Slurm's commands print, and of a host that has none of them."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from trafficrl.runs.queue import Queue, QueuedJob, parse_sacct, parse_squeue


def test_a_line_of_squeue_is_a_job() -> None:
    said = (
        "CLUSTER: north\n"
        "12_3|PENDING|2|2026-11-21T20:46:12|ReqNodeNotAvail, UnavailableNodes:n[1-2]|\n"
        "13|RUNNING|0|2026-11-21T20:42:17|None|\n"
        "14|PENDING|0|N/A|a | in it|\n"
        "15_[4-9%2]|PENDING|0|N/A|Priority|\n"
        "slurm_load_jobs warning\n"
    )
    at = datetime(2026, 11, 21, 20, 46, 12, tzinfo=timezone.utc)
    reason = "ReqNodeNotAvail, UnavailableNodes:n[1-2]"
    assert parse_squeue(said) == {
        "12_3": QueuedJob(state="PENDING", reason=reason, requeues=2, start=at),
        "13": QueuedJob(state="RUNNING", requeues=0, start=at.replace(minute=42, second=17)),
        "14": QueuedJob(state="PENDING", reason="a | in it", requeues=0),
    }


@pytest.mark.parametrize(
    ("state", "waits", "runs"),
    [
        ("PENDING", True, False),
        ("REQUEUE_HOLD", True, False),
        ("CONFIGURING", True, False),
        ("RUNNING", False, True),
        ("COMPLETING", False, True),
        ("SUSPENDED", False, True),
        ("COMPLETED", False, False),
        ("NODE_FAIL", False, False),
        ("PREEMPTED", False, False),
    ],
)
def test_a_job_waits_runs_or_has_ended(state: str, waits: bool, runs: bool) -> None:
    job = QueuedJob(state=state)
    assert (job.waits, job.runs) == (waits, runs)


def test_the_accounts_tell_how_a_job_ended_and_nothing_else_of_it() -> None:
    said = (
        "JobID|State|NodeList\n12_3|CANCELLED by 1000|\n13|FAILED|n7\n13.batch|FAILED|n7\n"
        "14|RUNNING|n7\n15|PENDING|\n16|\n17|OUT_OF_MEMORY\nsacct: error\n"
    )
    assert parse_sacct(said) == {
        "12_3": QueuedJob(state="CANCELLED"),
        "13": QueuedJob(state="FAILED"),
        "17": QueuedJob(state="OUT_OF_MEMORY"),
    }


def test_without_slurm_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    queue = Queue()
    assert queue.ask(["12"]) is None
    assert queue.trouble == "there is no squeue on this host"
    assert queue.recall(["12"]) == {}


def test_an_answer_in_another_form_is_not_taken_for_an_empty_queue() -> None:
    assert parse_squeue("CLUSTER: north\n") == parse_squeue("") == {}
    with pytest.raises(ValueError, match="a form that is not known: 12_3 PD Priority"):
        parse_squeue("CLUSTER: north\n 12_3   PD Priority\n13 R None\n")
