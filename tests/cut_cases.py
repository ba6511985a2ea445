"""Trainings that are cut, by the real command, and what has to be equal when they have gone on."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import torch
from forked_cases import forked

from trafficrl.runs.paths import RunPaths
from trafficrl.training.models import load_model

LAST = 144
"""Environment steps of a whole training."""
SMALL = (
    "scenarios.morning.num_vehicles=40",
    "scenarios.evening.num_vehicles=40",
    "algorithm.n_steps=24",
    "algorithm.batch_size=16",
    "execution.parallel_envs=2",
    f"execution.total_timesteps={LAST}",
    "execution.eval_freq=48",
    "execution.checkpoint_freq=20",
    "execution.keep_checkpoints=3",
    "execution.validation_seeds=1",
    "execution.end_time=150",
    "execution.trackers=[csv]",
    "evaluation.baselines=[fixed]",
    "evaluation.seeds=1",
    "evaluation.workers=1",
)
# A shell in the background hands on an ignored SIGINT, which Python would leave ignored.
CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from trafficrl.app.train import main; main()"
)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The command, which puts its run into the folder."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *SMALL, *words, f"hydra.run.dir={folder}"],
        cwd=folder.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder: Path, *words: str) -> RunPaths:
    """The same command, which ends this time."""
    done = forked("train", *SMALL, *words, f"hydra.run.dir={folder}", folder=folder.parent)
    assert done.returncode == 0, done.stderr
    return RunPaths(folder)


def wait_for(folder: Path, timesteps: int, process: subprocess.Popen[str]) -> None:
    """The run has done so many steps, or more."""
    while record(folder).get("timesteps", -1) < timesteps:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def newest_checkpoint(folder: Path) -> int:
    """Environment steps of the newest checkpoint; -1 without one."""
    files = RunPaths(folder).checkpoints.glob("step_*.yaml")
    return max((int(file.stem.removeprefix("step_")) for file in files), default=-1)


def wait_for_checkpoint(folder: Path, timesteps: int, process: subprocess.Popen[str]) -> None:
    """The run has a checkpoint of so many steps or more."""
    while newest_checkpoint(folder) < timesteps:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)


def cut(process: subprocess.Popen[str], kind: signal.Signals) -> tuple[int, str]:
    """Exit code and stderr of the process after the signal; none of its children is left."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(kind)
    _, errors = process.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    return process.returncode, errors


def record(folder: Path) -> dict[str, Any]:
    """What `run.json` says; nothing before there is one."""
    file = RunPaths(folder).run
    found: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return found


def assert_equal_runs(one: RunPaths, other: RunPaths) -> None:
    """Weights, metrics and the best score are bit for bit the same."""
    assert one.metrics.read_bytes() == other.metrics.read_bytes()
    assert record(one.root)["best_score"] == record(other.root)["best_score"]
    for models in ((one.final_model, other.final_model), (one.best_model, other.best_model)):
        first, second = (load_model(file) for file in models)
        assert first.timesteps == second.timesteps
        assert first.policy_state.keys() == second.policy_state.keys()
        for name, values in first.policy_state.items():
            assert torch.equal(values, second.policy_state[name]), name
        assert str(first.optimizer_states) == str(second.optimizer_states)
        assert str(first.variables) == str(second.variables)
