"""What of a learner is learned beside its policy: by the names that Stable-Baselines3 saves."""

from typing import TypeAlias

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.save_util import recursive_getattr

from trafficrl.config.algorithm import LearnerConfig
from trafficrl.config.off_policy import ContinuousConfig, SACConfig

__all__ = ["Learner", "optimizer_names", "optimizers", "variable_names", "variables"]

Learner: TypeAlias = PPO | OffPolicyAlgorithm
"""What Stable-Baselines3 has for the kinds of algorithm that there are."""


def optimizers(model: Learner) -> dict[str, torch.optim.Optimizer]:
    """Every optimiser of the learner."""
    names, _ = model._get_torch_save_params()
    return {name: recursive_getattr(model, name) for name in names if name != "policy"}


def variables(model: Learner) -> dict[str, torch.Tensor]:
    """Every tensor that is learned and belongs to no network."""
    _, names = model._get_torch_save_params()
    return {name: recursive_getattr(model, name) for name in names}


def optimizer_names(config: LearnerConfig) -> list[str]:
    """Names of the optimisers of a learner of that configuration."""
    if not isinstance(config, ContinuousConfig):
        return ["policy.optimizer"]
    names = ["actor.optimizer", "critic.optimizer"]
    if isinstance(config, SACConfig) and config.learn_ent_coef:
        names.append("ent_coef_optimizer")
    return names


def variable_names(config: LearnerConfig) -> list[str]:
    """Names of the further tensors of a learner of that configuration."""
    if not isinstance(config, SACConfig):
        return []
    return ["log_ent_coef" if config.learn_ent_coef else "ent_coef_tensor"]
