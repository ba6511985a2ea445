"""Measures what a training takes by a few of its own steps, as `training.effort` needs it."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil, inf

import numpy as np
import psutil
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from trafficrl.config.algorithm import CommonPPOConfig, LearnerConfig
from trafficrl.config.off_policy import OffPolicyConfig
from trafficrl.runs.peak_memory import forget_peak, memory_with_children, peak_memory
from trafficrl.training.effort import Effort
from trafficrl.training.experience import Experience, build_experience
from trafficrl.training.parts import Learner, optimizers
from trafficrl.training.processes import ProcessVecEnv, SingleVecEnv, inner_environments
from trafficrl.training.rollout import Rollout
from trafficrl.training.schedules import Schedules

__all__ = ["probe_training"]

PATIENCE_S = 10.0
"""Steps are made for so long if no episode ends."""
GRADIENT_STEPS = 4
"""That are timed, after one that is not: torch takes its memory in the first."""
LOOK_EVERY_S = 0.2
"""Memory is looked at no more often: with many environments that takes time."""


def probe_training(
    model: Learner, config: LearnerConfig, *, total_timesteps: int, patience_s: float = PATIENCE_S
) -> Effort:
    """The effort of a training that would begin with this model, which is spoilt afterwards.

    Args:
        model: with running environments that have not begun yet.
        config: its algorithm.
        total_timesteps: of the training, for what changes with it.
        patience_s: how long steps are made if no episode ends [s]; at least one is.

    Raises:
        TrafficRLError: what an environment raised.
    """
    forget_peak()
    model.set_logger(Logger(folder=None, output_formats=[]))
    first = int(model.num_timesteps)
    Schedules(config, first=first, total_timesteps=first + total_timesteps).apply(model, first)
    before = _environment_bytes(model)
    begin = time.perf_counter()
    model._setup_learn(1, None, reset_num_timesteps=False)
    begin_s = time.perf_counter() - begin
    experience = build_experience(model, config)
    steps = _make_steps(model, experience, patience_s)
    whole_bytes = _experience_bytes(model)
    gradients = _update_gradients(model, experience, config)
    gradient_s = _time_gradient(model, experience)
    alone = isinstance(_inner(model), SingleVecEnv)
    return Effort(
        parameters=_num_learned(model),
        steps_s=tuple(steps.times_s),
        begin_s=begin_s,
        whole_episode=steps.whole_episode,
        gradient_s=gradient_s,
        update_steps=experience.decisions,
        update_gradients=gradients,
        idle_updates=_idle_updates(experience, config),
        num_envs=_inner(model).num_envs,
        learner_bytes=peak_memory(os.getpid()),
        experience_bytes=whole_bytes,
        together_bytes=memory_with_children(os.getpid()),
        environment_bytes=0 if alone else steps.most_bytes,
        simulation_bytes=max(steps.most_bytes - before, 0),
    )


@dataclass
class _Steps:
    times_s: list[float] = field(default_factory=list)
    whole_episode: bool = False
    most_bytes: int = 0


def _make_steps(model: Learner, experience: Experience, patience_s: float) -> _Steps:
    steps, ended, num_envs = _Steps(), 0, _inner(model).num_envs
    begin, looked = time.perf_counter(), -inf
    while not steps.times_s or time.perf_counter() - begin < patience_s:
        if time.perf_counter() - looked > LOOK_EVERY_S:  # an episode takes its process along
            steps.most_bytes = max(steps.most_bytes, _environment_bytes(model))
            looked = time.perf_counter()
        if experience.full:
            experience.clear()
        start = time.perf_counter()
        infos = experience.step()
        steps.times_s.append(time.perf_counter() - start)
        ended += sum("episode" in info for info in infos)
        steps.whole_episode = ended >= num_envs
        if steps.whole_episode:
            break
    steps.most_bytes = max(steps.most_bytes, _environment_bytes(model))
    return steps


def _time_gradient(model: Learner, experience: Experience) -> float:
    """A gradient step on what was seen [s]; the second time, when torch has its memory."""
    if isinstance(model, OffPolicyAlgorithm):
        model.train(gradient_steps=1, batch_size=model.batch_size)
        start = time.perf_counter()
        model.train(gradient_steps=GRADIENT_STEPS, batch_size=model.batch_size)
        return (time.perf_counter() - start) / GRADIENT_STEPS
    plain, tensors = experience.capture()
    model.n_epochs = 1
    took_s = 0.0
    for _ in range(2):
        rollout = _few_batches(model, int(plain["filled"]), tensors)
        start = time.perf_counter()
        rollout.learn()
        took_s = time.perf_counter() - start
    return took_s / ceil(rollout.decisions * _rows(model) / model.batch_size)


def _few_batches(model: PPO, filled: int, tensors: dict[str, torch.Tensor]) -> Rollout:
    """A rollout of no more than some batches, full of what was seen, over and over."""
    whole = model.rollout_buffer
    assert isinstance(whole, RolloutBuffer)
    size = min(ceil(GRADIENT_STEPS * model.batch_size / whole.n_envs), model.n_steps)
    model.rollout_buffer = type(whole)(
        size,
        model.observation_space,
        model.action_space,
        device=model.device,
        gamma=whole.gamma,
        gae_lambda=whole.gae_lambda,
        n_envs=whole.n_envs,
    )
    again = torch.arange(size) % filled
    rollout = Rollout(model)
    rollout.restore({"filled": size}, {name: rows[again] for name, rows in tensors.items()})
    return rollout


def _update_gradients(model: Learner, experience: Experience, config: LearnerConfig) -> int:
    if isinstance(config, OffPolicyConfig):
        return config.gradient_steps or experience.decisions
    assert isinstance(config, CommonPPOConfig)
    return config.n_epochs * ceil(experience.decisions * _rows(model) / model.batch_size)


def _idle_updates(experience: Experience, config: LearnerConfig) -> int:
    if not isinstance(config, OffPolicyConfig):
        return 0
    return ceil(max(config.learning_starts, 1) / experience.decisions) - 1


def _rows(model: Learner) -> int:
    """Transitions of a decision: to a shared policy each signal has one."""
    assert model.env is not None
    return model.env.num_envs // _inner(model).num_envs


def _inner(model: Learner) -> ProcessVecEnv | SingleVecEnv:
    assert model.env is not None
    return inner_environments(model.env)


def _num_learned(model: Learner) -> int:
    groups = [group for one in optimizers(model).values() for group in one.param_groups]
    return sum(tensor.numel() for group in groups for tensor in group["params"])


def _experience_bytes(model: Learner) -> int:
    """All arrays of what is learned from: most of them get their memory as they are filled."""
    buffer = model.replay_buffer if isinstance(model, OffPolicyAlgorithm) else model.rollout_buffer
    return sum(held.nbytes for held in vars(buffer).values() if isinstance(held, np.ndarray))


def _environment_bytes(model: Learner) -> int:
    """The largest process of an environment at its highest."""
    environments = _inner(model)
    if isinstance(environments, SingleVecEnv):
        return peak_memory(os.getpid())
    found = [0]
    for pid in environments.process_ids:
        with suppress(psutil.NoSuchProcess):  # a fork that has ended meanwhile
            tree = psutil.Process(pid).children(recursive=True)
            found += [peak_memory(each) for each in (pid, *(child.pid for child in tree))]
    return max(found)
