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
CUT_AT = 20
"""Environment steps, of 144."""
NAMED: dict[str, Callable[[str], list[str]]] = {
    "SIGUSR2": lambda job: ["scancel", "--signal=USR2", f"{job}.0"],
    "SIGTERM": lambda job: ["scontrol", "requeue", job],
    "SIGKILL": lambda job: ["scancel", "--signal=KILL", f"{job}.0"],
}
"""What cuts a job -> the command that does it. The step is signalled, not the job: scancel takes an
array that still waits for one whose elements cannot be signalled yet, and tries again and again."""
EQUAL = "execution.hang_timeout_s="
"""Trainings that differ in this alone end with the same weights."""
FIRST = (*SMALL, f"{EQUAL}100,200")
WORSE = (*SMALL, f"{EQUAL}300,400,500")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cuts")
    with cancelled_at_the_end(lambda: list(folder.glob("*/[0-9]"))):
        yield folder


def cut_sweep(place: Path, name: str, words: tuple[str, ...], *cuts: str) -> list[Path]:
    """The run folders of jobs that have ended: the first ones cut so, those behind left alone."""
    sent = send(place, *SLURM, RETURNS, *words, f"hydra.sweep.dir={place / name}")
    assert sent.code == 0, sent.errors
    runs = sorted((place / name).glob("[0-9]"))
    left = dict(zip(runs, cuts, strict=False))

    def cut() -> bool:
        for run in [run for run in left if has_done(run, CUT_AT)]:
            subprocess.run(NAMED[left.pop(run)](shown(job_of(run))["JobId"]), check=True)
        return not left

    wait_for(cut)
    until_ended(*runs)
    return runs


@pytest.fixture(scope="module")
def sweep(place: Path) -> list[Path]:
    """A run that is put back into the queue, and one that nothing cuts.

    In this order: the last job of an array has the number of the array, and all of it is requeued.
    """
    return cut_sweep(place, "sweep", FIRST, "SIGTERM")


@pytest.fixture(scope="module")
def worse(place: Path) -> list[Path]:
    """Runs that were warned, put back into the queue, and killed without a word."""
    return cut_sweep(place, "worse", WORSE, *NAMED)


def went_on(run: Path, uncut: Path) -> None:
    """The job was told to stop, and ended as if it had not been."""
    assert state(run) == "COMPLETED"
    assert shown(job_of(run))["Restarts"] == "1"
    assert (record(run)["status"], record(run)["resumes"]) == ("finished", 1)
    assert record(run)["crashes"] == 0
    assert logs(run).count("the same command goes on") == 1
    assert_equal_runs(RunPaths(run), RunPaths(uncut))


def test_a_sweep_is_one_array_with_a_folder_for_each_job(sweep: list[Path]) -> None:
    arrays = {job_of(run).partition("_")[0] for run in sweep}
    assert len(arrays) == 1
    assert [job_of(run).partition("_")[2] for run in sweep] == ["0", "1"]
    uncut = sweep[-1]
    assert state(uncut) == "COMPLETED"
    assert shown(job_of(uncut))["ExitCode"] == "0:0"
    assert (record(uncut)["status"], record(uncut)["resumes"]) == ("finished", 0)
    assert "training ended at 144 steps" in logs(uncut)
    assert not list(uncut.glob("work"))


def test_a_requeued_job_ends_as_if_it_had_not_been_cut(sweep: list[Path]) -> None:
    went_on(sweep[0], sweep[-1])


@pytest.mark.slow  # its jobs import everything anew
def test_a_killed_job_has_failed_and_the_same_command_sends_only_what_is_missing(
    place: Path, sweep: list[Path], worse: list[Path]
) -> None:
    warned, requeued, killed = worse
    went_on(warned, sweep[-1])
    went_on(requeued, sweep[-1])
    assert state(killed) == "FAILED"
    assert shown(job_of(killed))["ExitCode"] != "0:0"
    assert record(killed)["status"] == "running"  # it had no time to say otherwise
    assert not RunPaths(killed).final_model.exists()
    before = [job_of(run) for run in worse]
    lost = shutil.move(requeued, place / "lost")
    words = (*SLURM, *WORSE, f"hydra.sweep.dir={place / 'worse'}")  # waits for its jobs
    sent = send(place, *words)
    assert sent.code == 0, sent.errors
    now = [job_of(run) for run in worse]
    assert [old == new for old, new in zip(before, now, strict=True)] == [True, False, False]
    assert (record(killed)["resumes"], record(requeued)["resumes"]) == (1, 0)
    for run in (killed, requeued, Path(lost)):
        assert_equal_runs(RunPaths(run), RunPaths(sweep[-1]))
    again = send(place, *words)
    assert again.code == 0, again.errors
    assert again.out.count(" : finished") == 3
    assert now == [job_of(run) for run in worse]


@pytest.mark.slow  # its jobs import everything anew
def test_a_preempted_job_goes_on_when_the_urgent_one_is_done(
    place: Path, sweep: list[Path]
) -> None:
    told = subprocess.run(
        ["sinfo", "-h", "-o", "%R %c"], capture_output=True, text=True, check=True
    )
    processors = dict(line.split() for line in told.stdout.splitlines())
    if "urgent" not in processors:
        pytest.skip("this Slurm has no partition `urgent` that preempts others")
    folder = place / "preempted"
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
    assert_equal_runs(RunPaths(run), RunPaths(sweep[-1]))
