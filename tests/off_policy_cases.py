"""Learners with a memory on the small city."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from learning_cases import EXECUTION, OBSERVATION, small_task
from shared_cases import PAID, SEEN
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from traffic_cases import DURATIONS, NEXT_PHASE

from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.off_policy import DQNConfig, OffPolicyConfig, SACConfig, TD3Config
from trafficrl.training.off_policy import build_off_policy
from trafficrl.training.vector import build_vector_env

LEARNING: dict[str, Any] = {
    "learning_rate": 1e-2,
    "batch_size": 4,
    "n_steps": 4,
    "gamma": 0.9,
    "net_arch": [8, 8],
    "buffer_size": 9,
    "learning_starts": 5,
    "normalize_reward": True,
}
TD3 = TD3Config(
    action=DURATIONS,
    observation=OBSERVATION,
    tau=0.1,
    action_noise=0.1,
    policy_delay=2,
    target_policy_noise=0.2,
    target_noise_clip=0.5,
    normalize_observation=True,
    **LEARNING,
)
SAC = SACConfig(action=DURATIONS, observation=OBSERVATION, tau=0.1, ent_coef=0.5, **LEARNING)
DQN = DQNConfig(
    action=replace(NEXT_PHASE, interval_s=3),  # some signals have no choice at some decisions
    observation=SEEN,
    return_steps=2,
    target_update_interval=3,
    exploration_final=0.1,
    exploration_fraction=0.5,
    **LEARNING,
)
KINDS: dict[str, OffPolicyConfig] = {"td3": TD3, "sac": SAC, "dqn": DQN}


@contextmanager
def off_policy_learner(
    folder: Path,
    algorithm: OffPolicyConfig,
    execution: ExecutionConfig = EXECUTION,
    *,
    seed: int = 1,
    **changes: Any,
) -> Iterator[OffPolicyAlgorithm]:
    """A fresh learner on running environments, as the commands build it."""
    if isinstance(algorithm, DQNConfig):
        changes = {"reward": PAID} | changes
    whole = small_task(algorithm, end_s=execution.end_time, **changes)
    environments = build_vector_env(whole, algorithm, execution, seed=seed, folder=folder / "work")
    try:
        yield build_off_policy(algorithm, environments, whole, seed=seed, device="cpu")
    finally:
        environments.close()
