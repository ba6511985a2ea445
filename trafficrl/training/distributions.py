"""What actors draw actions from: Stable-Baselines3's distributions, without their checks.

Each of those looks at all its numbers whenever it is made or asked, and of several signals each has
one of its own: with 36 that takes longer than SUMO between two decisions. Here the weights are
looked at once an update, by `check_weights`, and all signals are one tensor. The numbers are the
same; only the order differs in which draws fall to the signals.

Shapes: B observations, S signals, P phases of the signal that has most, Q phases of all together.
"""

from collections.abc import Sequence

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    DiagGaussianDistribution,
    MultiCategoricalDistribution,
)
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from torch.distributions import Categorical, Normal

from trafficrl.training.shared_policy import NEVER

__all__ = ["PhaseChoices", "spare_checks"]


class PhaseChoices(MultiCategoricalDistribution):
    """A phase of each signal, independently.

    Args:
        action_dims: phases of each signal (S,).
    """

    log_chances: torch.Tensor  # (B, S, P), about `NEVER` where a signal has no such phase

    def __init__(self, action_dims: Sequence[int]) -> None:
        super().__init__([int(size) for size in action_dims])
        sizes = torch.tensor(self.action_dims)
        self._shape = (-1, len(sizes), int(sizes.max()))
        exists = torch.arange(self._shape[2]) < sizes[:, None]  # (S, P)
        self._places = exists.flatten().nonzero()[:, 0]  # (Q,)

    def proba_distribution(self, action_logits: torch.Tensor) -> "PhaseChoices":
        """The chances that follow from logits (B, Q)."""
        self._places = self._places.to(action_logits.device)
        _, signals, phases = self._shape
        room = action_logits.new_full((len(action_logits), signals * phases), NEVER)
        filled = room.index_copy(1, self._places, action_logits)
        self.log_chances = filled.view(self._shape).log_softmax(2)
        return self

    def log_prob(self, actions: torch.Tensor) -> torch.Tensor:
        """(B,) of phases (B, S) [nat]."""
        return self.log_chances.gather(2, actions.long().unsqueeze(2)).sum((1, 2))

    def entropy(self) -> torch.Tensor:
        """(B,) [nat]."""
        return -(self.log_chances.exp() * self.log_chances).sum((1, 2))

    def sample(self) -> torch.Tensor:
        """Phases (B, S)."""
        chances = self.log_chances.exp()
        return torch.multinomial(chances.flatten(0, 1), 1).view(chances.shape[:2])

    def mode(self) -> torch.Tensor:
        """The most likely phases (B, S)."""
        return self.log_chances.argmax(2)


class PhaseChoice(CategoricalDistribution):
    """A phase of one signal."""

    def proba_distribution(self, action_logits: torch.Tensor) -> "PhaseChoice":
        """The chances that follow from logits (B, P)."""
        self.distribution = Categorical(logits=action_logits, validate_args=False)
        return self


class NumberChoices(DiagGaussianDistribution):
    """Numbers for the phases of all signals, independently."""

    def proba_distribution(
        self, mean_actions: torch.Tensor, log_std: torch.Tensor
    ) -> "NumberChoices":
        """Around means (B, Q), as far as log_std (Q,) says."""
        std = torch.ones_like(mean_actions) * log_std.exp()
        self.distribution = Normal(mean_actions, std, validate_args=False)
        return self


def spare_checks(policy: BasePolicy) -> None:
    """The policy of an actor and a critic draws from the distributions of this file.

    What it has learned, and how it is saved, stay as they are.
    """
    if not isinstance(policy, ActorCriticPolicy):
        return
    space = policy.action_space
    if isinstance(space, spaces.MultiDiscrete):
        policy.action_dist = PhaseChoices(space.nvec.tolist())
    elif isinstance(space, spaces.Discrete):
        policy.action_dist = PhaseChoice(int(space.n))
    else:
        assert isinstance(space, spaces.Box)
        policy.action_dist = NumberChoices(*space.shape)
