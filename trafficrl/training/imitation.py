"""How far a policy is from what a teacher did, for cloning and kickstarting alike.

Phases are compared by their cross-entropy. Phase durations are compared by the shares of the free
green that their numbers stand for, since adding the same to all numbers of a signal changes nothing
that signals show; the standard deviation is left to exploration.

Shapes: B observations, A numbers of an action, Q phases of all signals together, S signals.
"""

from collections.abc import Sequence

import torch
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    DiagGaussianDistribution,
    MultiCategoricalDistribution,
)
from stable_baselines3.common.policies import ActorCriticPolicy

__all__ = ["imitation_losses"]


def imitation_losses(
    policy: ActorCriticPolicy,
    observations: torch.Tensor,
    actions: torch.Tensor,
    num_phases: Sequence[int],
) -> torch.Tensor:
    """(B,) loss of each observation, the mean over its signals [nat]; 0 where they agree wholly.

    Args:
        policy: that imitates.
        observations: (B, ...) as the policy sees them.
        actions: (B, A) of the teacher.
        num_phases: of each signal (S,), where one action is for all of them.
    """
    distribution = policy.get_distribution(observations)
    if isinstance(distribution, DiagGaussianDistribution):
        mean = distribution.distribution.mean
        return shares_divergence(mean, actions, num_phases)
    if isinstance(distribution, CategoricalDistribution):
        return -distribution.log_prob(actions[:, 0].long())
    assert isinstance(distribution, MultiCategoricalDistribution)
    return -distribution.log_prob(actions.long()) / actions.shape[1]


def shares_divergence(
    mean: torch.Tensor, wanted: torch.Tensor, num_phases: Sequence[int]
) -> torch.Tensor:
    """(B,) mean over the signals of the divergence of wanted shares from the policy's."""
    sizes = list(num_phases)
    total = mean.new_zeros(len(mean))
    pairs = zip(torch.split(mean, sizes, dim=1), torch.split(wanted, sizes, dim=1), strict=True)
    for own, other in pairs:
        target, found = other.log_softmax(1), own.log_softmax(1)
        total = total + (target.exp() * (target - found)).sum(1)
    return total / len(sizes)
