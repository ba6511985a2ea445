"""What policies have in common whose network gives the action's parameters itself."""

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

__all__ = ["ScoringPolicy", "layers"]


def layers(width: int, widths: list[int], activation: type[nn.Module]) -> nn.Sequential:
    """Linear layers of those widths, each followed by the activation."""
    modules: list[nn.Module] = []
    for following in widths:
        linear = nn.Linear(width, following)
        nn.init.orthogonal_(linear.weight, np.sqrt(2))
        nn.init.zeros_(linear.bias)
        modules += [linear, activation()]
        width = following
    return nn.Sequential(*modules)


class ScoringPolicy(ActorCriticPolicy):
    """Takes scores as logits of the next phase, or as means of the softmax of phase durations."""

    @abstractmethod
    def build_scorer(self, widths: list[int]) -> nn.Module:
        """The network: `score`, a Sequential that ends in the scores, and what
        Stable-Baselines3 asks of an extractor: three forward methods and the two sizes."""

    def _build_mlp_extractor(self) -> None:
        widths = self.net_arch
        assert isinstance(widths, list)
        self.mlp_extractor = self.build_scorer(widths)  # type: ignore[assignment]

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net = nn.Identity()  # the scores are the action's parameters already
        with torch.no_grad():
            # A first policy close to uniform explores best (Andrychowicz et al. 2021, sec. 3.2).
            self.mlp_extractor.score[-1].weight.mul_(0.1)  # type: ignore[union-attr, index]
        self.optimizer = self.optimizer_class(
            self.parameters(),
            lr=lr_schedule(1),  # type: ignore[call-arg] # every optimiser but torch's base has it
            **self.optimizer_kwargs,
        )
