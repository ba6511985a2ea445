"""Environments for worker processes: small, importable there, and failing where they are told."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import psutil
from gymnasium import spaces
from gymnasium.wrappers import OrderEnforcing, TimeLimit

from trafficrl.config.execution import ExecutionConfig
from trafficrl.errors import TrafficRLError

EXECUTION = ExecutionConfig(
    total_timesteps=16, checkpoint_freq=8, eval_freq=0, end_time=60, parallel_envs=2
)


def serving(process_id: int) -> psutil.Process:
    """The fork of an environment's process that serves its episode."""
    process = psutil.Process(process_id)
    (fork,) = (one for one in process.children() if one.cmdline() == process.cmdline())
    return fork


class Counter(gymnasium.Env[Any, Any]):
    """Observes how many steps it has made; each episode has four."""

    def __init__(self, *, folder: Path) -> None:
        self.observation_space = spaces.Box(0.0, 100.0, (1,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.steps = 0
        self.dies = False
        self.script: list[Exception | None] = []
        """The next calls of reset and step raise what it holds, None nothing."""
        self.refusal: Exception | None = None

    def fail_to_close(self, error: Exception) -> None:
        """The next call of close raises that."""
        self.refusal = error

    def close(self) -> None:
        error, self.refusal = self.refusal, None
        if error is not None:
            raise error

    def process(self) -> int:
        return os.getpid()

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        self.play()
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.play()
        self.steps += 1
        return np.full(1, self.steps, np.float32), 1.0, self.steps == 4, False, {}

    def die(self) -> None:
        """The process is gone amid its next step, as after a crash of SUMO."""
        self.dies = True

    def play(self) -> None:
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        error = self.script.pop(0) if self.script else None
        if error is not None:
            raise error


class Unsteady(Counter):
    """Observes what no other process does."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, *rest = super().step(action)
        return observation + os.getpid(), *rest


class FailsToStart(Counter):
    def __init__(self, error: TrafficRLError, *, folder: Path) -> None:
        raise error


class Slow(Counter):
    """Says in a file that its step has begun; the step takes a second."""

    def __init__(self, file: Path, *, folder: Path) -> None:
        super().__init__(folder=folder)
        self.file = file

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.file.touch()
        time.sleep(1.0)
        return super().step(action)


def limited_counter(*, folder: Path) -> gymnasium.Env[Any, Any]:
    """A counter in two wrappers: each of its episodes is cut off after three steps."""
    return TimeLimit(OrderEnforcing(Counter(folder=folder)), 3)
