"""The environments that learn side by side: one process a slot, each with its own SUMO."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecMonitor,
    VecNormalize,
)

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv

__all__ = ["build_vector_env"]

log = logging.getLogger(__name__)

Env = gymnasium.Env[Any, Any]


def build_vector_env(
    task: Task, algorithm: PPOConfig, execution: ExecutionConfig, *, seed: int, folder: Path
) -> VecEnv:
    """Running environments, one a slot, with monitoring and the normalisation asked for.

    Slots begin with different scenarios and go round all of them; demand files lie in `folder`.
    """
    slots = 1 if execution.single_env else execution.parallel_envs
    if len(task.scenarios) > slots:
        log.warning(
            "%d scenarios but %d environment slots: the slots rotate through all scenarios",
            len(task.scenarios),
            slots,
        )
    folder.mkdir(parents=True, exist_ok=True)
    makers: list[Callable[[], Env]] = [
        partial(TrafficSignalEnv, task, seed=seed, slot=slot, slots=slots, folder=folder)
        for slot in range(slots)
    ]
    if execution.single_env:
        environments: VecEnv = DummyVecEnv(makers)
    else:
        with shielded_children():
            environments = SubprocVecEnv(makers, start_method="spawn")
    environments = VecMonitor(environments)
    if algorithm.normalize_observation or algorithm.normalize_reward:
        return VecNormalize(
            environments,
            norm_obs=algorithm.normalize_observation,
            norm_reward=algorithm.normalize_reward,
            gamma=algorithm.gamma,
        )
    return environments


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes started inside ignore the signals that a terminal or Slurm sends to all of a job.

    The main process alone decides what an interrupt means; its workers end when it closes them, or
    when it is gone.
    """
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
    before = [signal.signal(kind, signal.SIG_IGN) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
