"""Small real runs, made once for all tests that read run folders."""

import subprocess
import sys
from functools import cache
from pathlib import Path

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
    "execution.tensorboard=false",
    "execution.single_env=true",
    "evaluation.baselines=[fixed]",
)


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


def ended(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    code = f"from trafficrl.app.{name} import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=scratch(),
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def trained() -> Path:
    """The folder of a training."""
    run_command("train", *SCENARIOS, *TRAINING, "hydra.run.dir=trained")
    return scratch() / "trained"


@cache
def judged() -> Path:
    """The folder of an evaluation of classical controllers on the same scenarios."""
    run_command(
        "evaluate", *SCENARIOS, "controllers=[fixed,max_pressure,random]", "hydra.run.dir=judged"
    )
    return scratch() / "judged"


def database() -> Path:
    """Where both keep their episodes."""
    return scratch() / "outputs" / "evaluations"
