"""Trainings as jobs of a real Slurm: how they are sent there, and what becomes of them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cut_cases import CODE, record
from slurm_cases import WAIT_S, wait_for

from trafficrl.runs.jobs import load_job
from trafficrl.runs.paths import RunPaths

SLURM = (
    "-m",
    "hydra/launcher=slurm",
    "hydra.launcher.cpus_per_task=1",
    "hydra.launcher.mem_gb=1",
    "hydra.launcher.timeout_min=20",
)
RETURNS = "hydra.launcher.wait=false"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
TINY = (
    "algorithm.n_steps=16",
    "algorithm.batch_size=16",
    "execution.total_timesteps=32",
    "execution.eval_freq=0",
    "execution.end_time=60",
    "execution.single_env=true",
    "execution.trackers=[csv]",
    "evaluation.baselines=[fixed]",
    "evaluation.seeds=1",
    "evaluation.workers=1",
)
"""Little more than the start of Python, where only the order of the jobs counts."""


@dataclass(frozen=True)
class Sent:
    """What the command did that sends jobs away, by the time that its process was gone."""

    code: int
    out: str
    errors: str


def send(place: Path, *words: str, env: dict[str, str] | None = None) -> Sent:
    """`trafficrl-train` with these words, called in that folder."""
    files = [place / ".out", place / ".errors"]
    with files[0].open("w") as out, files[1].open("w") as errors:
        ended = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            cwd=place,
            stdout=out,
            stderr=errors,
            env={**os.environ, **(env or {})},
            check=False,
        )
    said, complained = (file.read_text() for file in files)
    return Sent(ended.returncode, said, complained)


def job_of(folder: Path) -> str:
    """The number of the job that was submitted last for the run folder."""
    job = load_job(RunPaths(folder))
    assert job is not None
    return job.job


def shown(job: str) -> dict[str, str]:
    """What `scontrol show job` says, key -> value."""
    done = subprocess.run(
        ["scontrol", "--oneliner", "show", "job", job], capture_output=True, text=True, check=True
    )
    # Of an array that still waits, other elements stand in lines of their own.
    parts = done.stdout.splitlines()[0].split()
    return {key: value for key, _, value in (part.partition("=") for part in parts)}


def state(folder: Path) -> str:
    """What Slurm calls the state of the run's job."""
    return shown(job_of(folder))["JobState"]


def until_ended(*folders: Path, wait_s: float = WAIT_S) -> dict[str, str]:
    """Name of the run folder -> state of its job, which does not run any more."""
    wait_for(lambda: all(state(folder) in ENDED for folder in folders), wait_s)
    ends = {folder.name: state(folder) for folder in folders}
    for folder in folders:
        if ends[folder.name] == "FAILED":  # pytest shows it should that be a surprise
            print(logs(folder))
    return ends


def has_done(folder: Path, steps: int) -> bool:
    """The training of the folder runs, and has done so many environment steps or more."""
    now = state(folder)
    assert now not in ENDED, f"{folder} is {now}: {logs(folder)}"
    return now == "RUNNING" and record(folder).get("timesteps", -1) >= steps


def logs(folder: Path) -> str:
    """All that the jobs of the run folder have printed."""
    texts = [folder / "job.out", folder / "job.err"]
    return "\n".join(file.read_text() for file in texts if file.is_file())


@contextmanager
def cancelled_at_the_end(sweep: Callable[[], list[Path]]) -> Iterator[None]:
    """No job of a test that failed goes on."""
    try:
        yield
    finally:
        jobs = [job_of(folder) for folder in sweep() if (folder / "job.json").is_file()]
        subprocess.run(["scancel", "--quiet", *jobs], check=False)
