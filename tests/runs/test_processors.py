"""How many processors a job may use."""

import os

import pytest

from trafficrl.runs.processors import processors

BOUND = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (None, BOUND),
        ("1", 1),
        ("0", 1),
        ("100000", BOUND),  # no job has more than the machine
        ("", BOUND),
        ("two", BOUND),
    ],
)
def test_the_share_of_a_job_counts_and_else_the_machine(
    monkeypatch: pytest.MonkeyPatch, share: str | None, expected: int
) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    if share is not None:
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", share)
    assert processors() == expected


def test_a_process_that_is_bound_to_one_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, before)
