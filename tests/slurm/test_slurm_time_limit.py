"""The time limit of a real Slurm, which warns a job, and takes it away."""

from pathlib import Path

import pytest
from cut_cases import SMALL, assert_equal_runs, record
from job_cases import (
    RETURNS,
    SLURM,
    cancelled_at_the_end,
    job_of,
    logs,
    send,
    shown,
    until_ended,
)
from slurm_cases import needs_slurm

from trafficrl.runs.paths import RunPaths

pytestmark = [needs_slurm, pytest.mark.slow]
LONG = (*SMALL, "execution.total_timesteps=24000", "execution.eval_freq=0")
"""Longer than the limit, wherever it runs."""


def test_a_training_longer_than_its_limit_goes_on_as_often_as_it_takes(tmp_path: Path) -> None:
    runs = {name: tmp_path / name / "0" for name in ("limited", "free")}
    limits = {
        # Slurm looks at its limits twice a minute, and may warn a minute early.
        "limited": ("hydra.launcher.timeout_min=2", "hydra.launcher.signal_delay_s=30"),
        "free": ("hydra.launcher.timeout_min=120",),
    }
    with cancelled_at_the_end(lambda: list(runs.values())):
        for name, run in runs.items():
            where = f"hydra.sweep.dir={run.parent}"
            sent = send(tmp_path, *SLURM, RETURNS, *LONG, *limits[name], where)
            assert sent.code == 0, sent.errors
        until_ended(*runs.values(), wait_s=1800.0)
    for run in runs.values():
        assert shown(job_of(run))["JobState"] == "COMPLETED"
    requeued = int(shown(job_of(runs["limited"]))["Restarts"])
    assert requeued >= 1
    assert [record(run)["resumes"] for run in runs.values()] == [requeued, 0]
    assert logs(runs["limited"]).count("the same command goes on") == requeued
    assert_equal_runs(*(RunPaths(run) for run in runs.values()))
