"""What is edited or mistaken between a command and its jobs on a real Slurm."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_cases import record
from job_cases import (
    RETURNS,
    SLURM,
    TINY,
    cancelled_at_the_end,
    has_done,
    job_of,
    logs,
    send,
    shown,
    state,
    until_ended,
)
from slurm_cases import needs_slurm, wait_for

from trafficrl.runs.paths import RunPaths

pytestmark = needs_slurm
MEMBER = """\
defaults:
  - /schema/scenarios/generated@mine
  - _self_
mine:
  num_vehicles: 20
  private_traffic_seed: 1
  public_traffic_seed: 2
"""
VEHICLES = "scenarios.mine.num_vehicles"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with cancelled_at_the_end(lambda: list(tmp_path.glob("multirun/*/[0-9]"))):
        yield tmp_path


@pytest.mark.slow
def test_a_job_does_what_was_submitted_whatever_is_edited_meanwhile(place: Path) -> None:
    member = place / "conf" / "scenarios" / "mine.yaml"
    member.parent.mkdir(parents=True)
    member.write_text(MEMBER)
    words = ("--config-dir", "conf", *SLURM, RETURNS, *TINY, "scenarios=mine", "seed=1")
    longer = ("execution.total_timesteps=480", "algorithm.n_steps=48")
    held = "+hydra.launcher.additional_parameters.hold=true"
    sent = send(place, *words, *longer, held)
    assert sent.code == 0, sent.errors
    ((run,),) = [list(sweep.glob("[0-9]")) for sweep in (place / "multirun").iterdir()]
    job = job_of(run)
    assert (state(run), shown(job)["Reason"]) == ("PENDING", "JobHeldUser")

    member.write_text(MEMBER.replace("20", "21"))
    again = send(place, *words, *longer, held)
    assert again.code == 2
    told = again.errors.splitlines()[-1]
    assert f"job {job} is in the queue with another configuration" in told
    assert f"{VEHICLES} was 20, is 21" in told
    assert job_of(run) == job

    subprocess.run(["scontrol", "release", job], check=True)
    wait_for(lambda: has_done(run, 10))
    member.write_text(MEMBER.replace("20", "22"))
    subprocess.run(["scontrol", "requeue", job], check=True)
    assert until_ended(run) == {run.name: "COMPLETED"}
    for edited in (21, 22):
        warning = f"edited since the job was submitted: {VEHICLES} was 20, is {edited}"
        assert logs(run).count(warning) == 1
    assert record(run)["resumes"] == 1
    assert "num_vehicles: 20\n" in RunPaths(run).resolved_config.read_text()


def test_a_command_that_is_interrupted_in_the_worst_moment_knows_its_jobs(place: Path) -> None:
    sbatch = place / "bin" / "sbatch"
    sbatch.parent.mkdir()
    # Ctrl-C reaches both, when the job is in the queue and its number is not told yet.
    sbatch.write_text(
        f'#!/bin/sh\nsaid=$({shutil.which("sbatch")} "$@")\nkill -INT $PPID $$\necho "$said"\n'
    )
    sbatch.chmod(0o755)
    words = (*SLURM, RETURNS, *TINY, "seed=1,2", "+hydra.launcher.additional_parameters.hold=true")
    sent = send(place, *words, env={"PATH": f"{sbatch.parent}:{os.environ['PATH']}"})
    assert (sent.code, sent.errors) == (130, "trafficrl-train: interrupted\n")
    jobs = [job_of(run) for run in sorted(place.glob("multirun/*/[0-9]"))]
    assert len(jobs) == 2
    again = send(place, *words)
    assert again.code == 0, again.errors
    assert [job_of(run) for run in sorted(place.glob("multirun/*/[0-9]"))] == jobs


def test_what_slurm_refuses_is_one_line_and_nothing_looks_submitted(place: Path) -> None:
    sent = send(place, *SLURM, *TINY, "seed=1,2", "hydra.launcher.partition=no_such")
    assert sent.code == 1
    (line,) = sent.errors.splitlines()
    assert line.startswith("trafficrl-train: error: sbatch refused the job: ")
    assert "invalid partition specified: no_such; " in line
    assert not list(place.glob("multirun/*/*/job.*"))


GONE = "the job goes on as it was submitted; not composed again: "
WRONG = "edited since the job was submitted: "


@pytest.mark.slow
@pytest.mark.parametrize(("vehicles", "told"), [("", GONE), ("-1", WRONG)])
def test_a_job_does_without_the_configuration_files_that_it_came_from(
    place: Path, vehicles: str, told: str
) -> None:
    member = place / "conf" / "scenarios" / "mine.yaml"
    member.parent.mkdir(parents=True)
    member.write_text(MEMBER)
    words = ("--config-dir", "conf", *SLURM, RETURNS, *TINY, "scenarios=mine")
    sent = send(place, *words, "+hydra.launcher.additional_parameters.hold=true")
    assert sent.code == 0, sent.errors
    (run,) = place.glob("multirun/*/0")
    member.write_text(MEMBER.replace("20", vehicles))
    if not vehicles:
        shutil.rmtree(place / "conf")
    subprocess.run(["scontrol", "release", job_of(run)], check=True)
    assert until_ended(run) == {"0": "COMPLETED"}, logs(run)
    assert "num_vehicles: 20\n" in RunPaths(run).resolved_config.read_text()
    assert logs(run).count(told) == 1
