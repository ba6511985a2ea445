"""Stable-Baselines3's TD3, SAC and DQN for one experiment."""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from trafficrl.config.off_policy import DQNConfig, OffPolicyConfig, SACConfig, TD3Config
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.training.phase_values import MaskedDQN
from trafficrl.training.policies import build_policy_arguments, policy_class, policy_layout
from trafficrl.training.ppo import check_device
from trafficrl.training.processes import inner_environments

__all__ = ["build_off_policy"]


def build_off_policy(
    config: OffPolicyConfig, environments: VecEnv, task: Task, *, seed: int, device: str
) -> OffPolicyAlgorithm:
    """A learner that has learned nothing yet; its weights follow from the seed.

    Raises:
        ConfigError: a memory that is too small, or a device that is not there.
    """
    num_envs = inner_environments(environments).num_envs
    if config.buffer_size < num_envs:
        raise ConfigError(
            f"algorithm.buffer_size must be >= the number of environments = {num_envs}, got "
            f"{config.buffer_size}"
        )
    check_device(device)
    rows = environments.num_envs // num_envs  # transitions of a decision
    common: dict[str, Any] = {
        "policy": policy_class(config),
        "env": environments,
        "learning_rate": config.learning_rate,
        "buffer_size": config.buffer_size * rows,
        "batch_size": config.batch_size * rows,
        "gamma": config.gamma,
        "train_freq": config.n_steps,
        "policy_kwargs": build_policy_arguments(config, policy_layout(config, task)),
        "seed": seed,
        "device": device,
    }
    if isinstance(config, TD3Config):
        return build_td3(config, environments, common)
    if isinstance(config, SACConfig):
        return build_sac(config, common)
    assert isinstance(config, DQNConfig)
    return build_dqn(config, common)


def build_td3(config: TD3Config, environments: VecEnv, common: dict[str, Any]) -> TD3:
    """It explores by noise that is drawn anew for each entry of each action."""
    size = environments.action_space.shape or ()
    return TD3(
        tau=config.tau,
        action_noise=NormalActionNoise(np.zeros(size), np.full(size, config.action_noise)),
        policy_delay=config.policy_delay,
        target_policy_noise=config.target_policy_noise,
        target_noise_clip=config.target_noise_clip,
        **common,
    )


def build_sac(config: SACConfig, common: dict[str, Any]) -> SAC:
    """It explores by the entropy that it is paid for."""
    entropy = config.target_entropy
    model = SAC(
        tau=config.tau,
        ent_coef=f"auto_{config.ent_coef}" if config.learn_ent_coef else config.ent_coef,
        target_entropy="auto" if entropy is None else entropy,
        **common,
    )
    with torch.no_grad():
        spread = model.actor.log_std
        assert isinstance(spread, torch.nn.Linear)
        spread.bias.fill_(config.log_std_init)
    return model


def build_dqn(config: DQNConfig, common: dict[str, Any]) -> MaskedDQN:
    """How much it explores is set from outside, by the steps of the whole training."""
    model = MaskedDQN(max_grad_norm=config.max_grad_norm, n_steps=config.return_steps, **common)
    # Stable-Baselines3's constructor would take it for steps, and warn of many environments.
    model.target_update_interval = config.target_update_interval
    return model
