"""Learners on the small city, and model files of theirs, for the tests of learning and judging."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv
from traffic_cases import NEXT_PHASE, city, scenario_config, scratch, task

from trafficrl.config.algorithm import CommonPPOConfig, LearnerConfig, PPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.network import GridConfig
from trafficrl.config.observation import ObservationConfig
from trafficrl.config.reward import RewardConfig, TermConfig
from trafficrl.env.task import Task
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord
from trafficrl.runs.stop import StopRequest
from trafficrl.training.best import Validation
from trafficrl.training.checkpoints import Origin
from trafficrl.training.models import use_one_thread, write_model
from trafficrl.training.parts import Learner
from trafficrl.training.ppo import build_ppo
from trafficrl.training.trainer import Trainer
from trafficrl.training.vector import build_vector_env

use_one_thread()  # networks this small only wait for more

OBSERVATION = ObservationConfig(
    phase_features=["phase_queue", "phase_vehicles"],
    signal_features=["current_phase", "phase_age"],
    network_features=["time_normalized"],
)
ALGORITHM = PPOConfig(
    action=NEXT_PHASE,
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
EXECUTION = ExecutionConfig(
    total_timesteps=16,
    checkpoint_freq=8,
    eval_freq=0,
    end_time=60,
    parallel_envs=1,
    single_env=True,
    trackers=["csv"],
)


@cache
def other_city() -> Network:
    """Not the city that the models of these tests learn."""
    grid = GridConfig(network_seed=7, grid_dimension=2, block_size_m=120, lane_count=2)
    return build_network(grid, scratch())


def small_task(algorithm: LearnerConfig = ALGORITHM, **changes: Any) -> Task:
    """One scenario of fixed demand, paid by delay."""
    values = {
        "scenarios": {"light": scenario_config(num_vehicles=12)},
        "observation": algorithm.observation,
        "action": algorithm.action,
        "reward": RewardConfig(terms={"delay_per_signal_veh": TermConfig(weight=-1.0)}),
    }
    return task(**(values | changes))


@contextmanager
def learner(
    folder: Path,
    algorithm: CommonPPOConfig = ALGORITHM,
    execution: ExecutionConfig = EXECUTION,
    *,
    seed: int = 1,
    **changes: Any,
) -> Iterator[PPO]:
    """A fresh learner on running environments, as the commands build it."""
    whole = small_task(algorithm, end_s=execution.end_time, **changes)
    environments = build_vector_env(whole, algorithm, execution, seed=seed, folder=folder / "work")
    try:
        yield build_ppo(algorithm, environments, whole, seed=seed, device="cpu")
    finally:
        environments.close()


def save_new_model(
    file: Path,
    algorithm: CommonPPOConfig = ALGORITHM,
    *,
    seed: int = 1,
    network: Network | None = None,
) -> None:
    """The file holds a model that has learned nothing; its weights follow from the seed."""
    network = network or city()
    with learner(file.parent, algorithm, seed=seed, network=network) as model:
        write_model(model, file, algorithm=algorithm, network=network)


def trainer_of(
    model: Learner,
    folder: Path,
    algorithm: LearnerConfig,
    execution: ExecutionConfig,
    validate: Callable[[Path], Validation] | None = None,
    *,
    judge_start: bool = False,
) -> Trainer:
    """A trainer of the small city in that run folder, which nothing stops."""
    facts = {
        "config_hash": "c" * 64,
        "run": str(folder),
        "scenarios": ("light",),
        "lineage": (),
        "versions": {},
    }
    paths = RunPaths(folder)
    return Trainer(
        model,
        origin=Origin(algorithm, city(), facts),
        execution=execution,
        paths=paths,
        record=RunRecord(paths.run),
        stop=StopRequest(),
        validate=validate,
        judge_start=judge_start,
    )


def environments_of(model: PPO) -> VecEnv:
    assert model.env is not None
    return model.env


def equal_states(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two state dicts hold the same tensors."""
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)
