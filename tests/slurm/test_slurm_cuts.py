"""A sweep on a real Slurm whose jobs are cut in each way that a cluster has, and goes on."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cut_cases import SMALL, assert_equal_runs, record
from job_cases import (
    RETURNS,
    SLURM,
    cancelled_at_the_end,
    has_done,
    job_of,
    logs,
    send,
    shown,
    state,
    until_ended,
)
from slurm_cases import needs_slurm, submitted, wait_for

from trafficrl.runs.paths import RunPaths

pytestmark = needs_slurm
UNCUT, WARNED, REQUEUED, KILLED = "0", "1", "2", "3"
SAME = (*SMALL, "execution.hang_timeout_s=100,200,300,400")
"""Four trainings whose weights do not depend on what they differ in: all end as the uncut one."""
CUT_AT = 20
"""Environment steps, of 144."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cuts")
    with cancelled_at_the_end(lambda: list(folder.glob("*/*/[0-9]"))):
        yield folder


@pytest.fixture(scope="module")
def sweep(place: Path) -> dict[str, Path]:
    """The run folders by their numbers; every job has ended, all but one in good order."""
    sent = send(place, *SLURM, RETURNS, *SAME)
    assert sent.code == 0, sent.errors
    (folder,) = (place / "multirun").iterdir()
    runs = {number: folder / number for number in (UNCUT, WARNED, REQUEUED, KILLED)}
    cuts: dict[str, Callable[[str], list[str]]] = {
        WARNED: lambda job: ["scancel", "--signal=USR2", f"{job}.0"],
        REQUEUED: lambda job: ["scontrol", "requeue", job],
        KILLED: lambda job: ["scancel", "--signal=KILL", f"{job}.0"],
    }

    def cut() -> bool:
        for number in [number for number in cuts if has_done(runs[number], CUT_AT)]:
            # The step, not the job: scancel takes an array that still waits for one whose elements
            # cannot be signalled yet, and signals such an element again and again.
            job = shown(job_of(runs[number]))["JobId"]
            subprocess.run(cuts.pop(number)(job), check=True)
        return not cuts

    wait_for(cut)
    until_ended(*runs.values())
    return runs


def test_a_sweep_is_one_array_with_a_folder_for_each_job(sweep: dict[str, Path]) -> None:
    arrays = {job_of(run).partition("_")[0] for run in sweep.values()}
    assert len(arrays) == 1
    assert [job_of(run).partition("_")[2] for run in sweep.values()] == list(sweep)
    uncut = sweep[UNCUT]
    assert state(uncut) == "COMPLETED"
    assert shown(job_of(uncut))["ExitCode"] == "0:0"
    assert (record(uncut)["status"], record(uncut)["resumes"]) == ("finished", 0)
    assert "training ended at 144 steps" in logs(uncut)
    assert not list(uncut.glob("work"))


@pytest.mark.parametrize(("number", "cause"), [(WARNED, "SIGUSR2"), (REQUEUED, "SIGTERM")])
def test_a_job_that_is_told_to_stop_ends_as_if_it_had_not_been(
    sweep: dict[str, Path], number: str, cause: str
) -> None:
    run = sweep[number]
    assert state(run) == "COMPLETED"
    assert shown(job_of(run))["Restarts"] == "1"
    assert (record(run)["status"], record(run)["resumes"]) == ("finished", 1)
    assert record(run)["crashes"] == 0
    assert logs(run).count("the same command goes on") == 1
    assert_equal_runs(RunPaths(run), RunPaths(sweep[UNCUT]))


@pytest.mark.slow  # its jobs import everything anew
def test_a_killed_job_has_failed_and_the_same_command_sends_only_what_is_missing(
    place: Path, sweep: dict[str, Path]
) -> None:
    killed = sweep[KILLED]
    assert state(killed) == "FAILED"
    assert shown(job_of(killed))["ExitCode"] != "0:0"
    assert record(killed)["status"] == "running"  # it had no time to say otherwise
    assert not RunPaths(killed).final_model.exists()
    before = {number: job_of(run) for number, run in sweep.items()}
    lost = shutil.move(sweep[REQUEUED], place / "lost")
    sent = send(place, *SLURM, *SAME)  # waits for its jobs
    assert sent.code == 0, sent.errors
    now = {number: job_of(run) for number, run in sweep.items()}
    assert [number for number in now if now[number] != before[number]] == [REQUEUED, KILLED]
    assert (record(killed)["resumes"], record(sweep[REQUEUED])["resumes"]) == (1, 0)
    for run in (killed, sweep[REQUEUED], Path(lost)):
        assert_equal_runs(RunPaths(run), RunPaths(sweep[UNCUT]))
    again = send(place, *SLURM, *SAME)
    assert again.code == 0, again.errors
    assert again.out.count(" : finished") == 4
    assert now == {number: job_of(run) for number, run in sweep.items()}


@pytest.mark.slow  # its jobs import everything anew
def test_a_preempted_job_goes_on_when_the_urgent_one_is_done(
    place: Path, sweep: dict[str, Path]
) -> None:
    told = subprocess.run(
        ["sinfo", "-h", "-o", "%R %c"], capture_output=True, text=True, check=True
    )
    processors = dict(line.split() for line in told.stdout.splitlines())
    if "urgent" not in processors:
        pytest.skip("this Slurm has no partition `urgent` that preempts others")
    folder = place / "multirun" / "preempted"
    run = folder / "0"
    where = f"hydra.sweep.dir={folder}"
    # It has all processors, so that no other job is in the way of the urgent one.
    alone = f"hydra.launcher.cpus_per_task={processors['urgent']}"
    sent = send(place, *SLURM, RETURNS, *SMALL, where, alone)
    assert sent.code == 0, sent.errors
    wait_for(lambda: has_done(run, CUT_AT))
    with submitted("sleep 1", "--partition=urgent") as urgent:
        wait_for(lambda: shown(job_of(run))["JobState"] != "RUNNING")
        wait_for(lambda: shown(urgent)["JobState"] == "COMPLETED")
    assert until_ended(run) == {"0": "COMPLETED"}
    assert shown(job_of(run))["Restarts"] == "1"
    assert record(run)["resumes"] == 1
    assert "stopped at" in logs(run)
    assert_equal_runs(RunPaths(run), RunPaths(sweep[UNCUT]))
