"""Small real runs, made once for all tests that read run folders, whatever process they are in."""

import fcntl
import os
import subprocess
from pathlib import Path

from forked_cases import forked
from traffic_cases import scratch

SCENARIOS = (
    "scenarios.morning.num_vehicles=40",
    "scenarios.evening.num_vehicles=40",
    "execution.end_time=120",
    "evaluation.seeds=2",
    "evaluation.workers=1",
    "evaluation.slice_s=30",
)
TRAINING = (
    "algorithm.n_steps=16",
    "algorithm.batch_size=16",
    "execution.total_timesteps=64",
    "execution.eval_freq=32",
    "execution.checkpoint_freq=64",
    "execution.validation_seeds=1",
    "execution.trackers=[csv]",
    "execution.single_env=true",
    "evaluation.baselines=[fixed]",
)

SHARED = "TRAFFICRL_TESTED_RUNS"
"""Names that place where there are several processes."""


def run_command(name: str, *words: str) -> str:
    """What the command printed; its runs lie where they would for a user in that folder."""
    done = ended(name, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_refused(name: str, *words: str) -> str:
    """The one line that the command refused its configuration with."""
    done = ended(name, *words)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


def ended(name: str, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return forked(name, *words, folder=folder or scratch())


def trained() -> Path:
    """The folder of a training; nobody may change it."""
    return made("trained", "train", *SCENARIOS, *TRAINING)


def judged() -> Path:
    """The folder of an evaluation of classical controllers on the same scenarios."""
    return made("judged", "evaluate", *SCENARIOS, "controllers=[fixed,max_pressure,random]")


def database() -> Path:
    """Where both keep their episodes."""
    return runs() / "outputs" / "evaluations"


def runs() -> Path:
    """Where they lie: in what the processes of one call of pytest have in common."""
    return Path(os.environ.get(SHARED) or scratch())


def made(name: str, command: str, *words: str) -> Path:
    """The run of that name, which the first who asks makes while the others wait."""
    folder, whole = runs() / name, runs() / f".{name}-is-whole"
    with (runs() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            done = ended(command, *words, f"hydra.run.dir={name}", folder=runs())
            assert done.returncode == 0, done.stderr
            whole.touch()
    return folder
