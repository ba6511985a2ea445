"""A small city, the task on it, and learners for it, as the tests of this room start from them."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from trafficrl.config.algorithm import ActionConfig, ActionKind, ObservationConfig, PPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.network import GridConfig
from trafficrl.config.reward import RewardConfig, TermConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.env.task import Task
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.training.models import use_one_thread
from trafficrl.training.ppo import build_ppo
from trafficrl.training.vector import build_vector_env

use_one_thread()  # networks this small only wait for more

OBSERVATION = ObservationConfig(
    phase_features=["phase_queue", "phase_vehicles"],
    signal_features=["current_phase", "phase_age"],
    network_features=["time_normalized"],
)
ALGORITHM = PPOConfig(
    action=ActionConfig(kind=ActionKind.next_phase, interval_s=10),
    observation=OBSERVATION,
    learning_rate=1e-3,
    clip_range=0.2,
    batch_size=8,
    n_steps=8,
    n_epochs=2,
    gamma=0.9,
    gae_lambda=0.9,
    ent_coef=0.01,
    net_arch=[8, 8],
)
DURATIONS = ActionConfig(kind=ActionKind.phase_durations, cycle_s=60)
EXECUTION = ExecutionConfig(
    total_timesteps=16,
    checkpoint_freq=8,
    eval_freq=0,
    end_time=60,
    parallel_envs=1,
    single_env=True,
    tensorboard=False,
)


def scenario(**changes: Any) -> GeneratedScenarioConfig:
    values = {"num_vehicles": 12, "private_traffic_seed": 1, "public_traffic_seed": 2}
    return GeneratedScenarioConfig(**(values | changes))


@cache
def network(grid_dimension: int = 3) -> Network:
    """Signals of three and of four phases; built once a test process."""
    folder = tempfile.mkdtemp(prefix="trafficrl-learning-cases-")
    atexit.register(shutil.rmtree, folder)
    grid = GridConfig(network_seed=7, grid_dimension=grid_dimension, block_size_m=120, lane_count=2)
    return build_network(grid, Path(folder))


def small_task(algorithm: PPOConfig = ALGORITHM, **changes: Any) -> Task:
    task = Task(
        network=network(),
        scenarios={"light": scenario()},
        observation=algorithm.observation,
        action=algorithm.action,
        reward=RewardConfig(terms={"delay_per_signal_veh": TermConfig(weight=-1.0)}),
        step_s=1.0,
        end_s=60.0,
    )
    return replace(task, **changes)


@contextmanager
def learner(
    folder: Path,
    algorithm: PPOConfig = ALGORITHM,
    execution: ExecutionConfig = EXECUTION,
    *,
    seed: int = 1,
    **changes: Any,
) -> Iterator[PPO]:
    """A fresh learner on running environments, as the commands build it."""
    task = small_task(algorithm, end_s=execution.end_time, **changes)
    environments = build_vector_env(task, algorithm, execution, seed=seed, folder=folder / "work")
    try:
        yield build_ppo(algorithm, environments, task, seed=seed, device="cpu")
    finally:
        environments.close()


def environments_of(model: PPO) -> VecEnv:
    assert model.env is not None
    return model.env


def equal_states(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two state dicts hold the same tensors."""
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)
