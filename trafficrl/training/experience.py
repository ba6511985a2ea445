"""What a learner gathers between updates: a rollout that is forgotten, or a memory."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from trafficrl.config.algorithm import LearnerConfig
from trafficrl.config.off_policy import OffPolicyConfig
from trafficrl.training.parts import Learner
from trafficrl.training.replay import Replay
from trafficrl.training.rollout import Rollout

__all__ = ["Experience", "build_experience"]


class Experience(Protocol):
    """Gathered one step of all environments at a time, so that a training can end after any."""

    @property
    def full(self) -> bool:
        """An update is due."""

    @property
    def missing(self) -> int:
        """Decisions of all networks until then."""

    @property
    def decisions(self) -> int:
        """Between two updates."""

    def step(self) -> list[dict[str, Any]]:
        """One step of all environments has been gathered; what each told of it."""

    def learn(self) -> None:
        """The model has learned from it."""

    def clear(self) -> None:
        """Gathering begins anew."""

    def capture(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        """(plain values, tensors) that `restore` brings back; `filled` counts steps."""

    def restore(self, plain: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """What was captured is there again.

        Raises:
            CheckpointError: it is of another shape.
        """


def build_experience(model: Learner, config: LearnerConfig) -> Experience:
    """The kind that the model learns from."""
    if isinstance(model, OffPolicyAlgorithm):
        assert isinstance(config, OffPolicyConfig)
        return Replay(model, config)
    return Rollout(model)
