"""The environments that learn side by side: one process a slot, each with its own SUMO."""

import logging
from functools import partial
from math import ceil
from pathlib import Path

from stable_baselines3.common.vec_env import VecEnv, VecMonitor, VecNormalize

from trafficrl.config.algorithm import LearnerConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.training.processes import ProcessVecEnv, SingleVecEnv
from trafficrl.training.signal_vector import SignalVecEnv
from trafficrl.training.teachers import build_teacher

__all__ = ["build_vector_env"]

log = logging.getLogger(__name__)


def build_vector_env(
    task: Task,
    algorithm: LearnerConfig,
    execution: ExecutionConfig,
    *,
    seed: int,
    folder: Path,
    teacher: str | None = None,
) -> VecEnv:
    """Running environments, one a slot, with monitoring and the normalisation asked for.

    To a shared policy each signal in them is one.

    Slots begin with different scenarios and go round all of them; demand files lie in `folder`. A
    teacher, a classical controller's name or a model's file, tells what it would do at each step.
    """
    slots = 1 if execution.single_env else execution.parallel_envs
    if len(task.scenarios) > slots:
        log.warning(
            "%d scenarios but %d environment slots: the slots rotate through all scenarios",
            len(task.scenarios),
            slots,
        )
    warn_of_short_curriculum(task, execution, slots)
    folder.mkdir(parents=True, exist_ok=True)
    asked = None if teacher is None else partial(build_teacher, teacher)
    make = partial(TrafficSignalEnv, task, seed=seed, slots=slots, teacher=asked)
    environments: VecEnv
    if execution.single_env:
        environments = SingleVecEnv(partial(make, folder=folder))
    else:
        makers = [partial(make, slot=slot) for slot in range(slots)]
        environments = ProcessVecEnv(makers, execution, folder)
    environments = VecMonitor(environments)
    # The features of a shared policy have a scale of their own, and its mask must stay one.
    norm_obs = algorithm.scales_observation
    if isinstance(algorithm.observation, SignalObservationConfig):
        environments = SignalVecEnv(environments, algorithm.observation.max_phases)
    if norm_obs or algorithm.normalize_reward:
        return VecNormalize(
            environments,
            norm_obs=norm_obs,
            norm_reward=algorithm.normalize_reward,
            gamma=algorithm.gamma,
        )
    return environments


def warn_of_short_curriculum(task: Task, execution: ExecutionConfig, slots: int) -> None:
    """Say so when training ends before the demand has come to its last share."""
    curriculum, decisions = task.curriculum, ceil(task.end_s / task.action.decision_s)
    done = execution.total_timesteps // (slots * decisions)
    if curriculum.share(done) != curriculum.last_share:
        log.warning(
            "execution.total_timesteps=%d are %d whole episodes in each of %d environments, and "
            "algorithm.curriculum.episodes=%d: training ends at %.2f of the demand, not at %g",
            execution.total_timesteps,
            done,
            slots,
            curriculum.episodes,
            curriculum.share(done),
            curriculum.last_share,
        )
