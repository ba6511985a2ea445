"""The pay of a decision: the weighted sum of the configured terms."""

from collections.abc import Callable, Sequence

import numpy as np

from trafficrl.config.reward import LocalRewardConfig, RewardConfig
from trafficrl.env.extensions import Extension, find_function
from trafficrl.env.lane_groups import LaneGroups
from trafficrl.env.local_rewards import LocalReward
from trafficrl.env.reward_terms import TERMS
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["WeightedReward", "build_reward"]


class WeightedReward:
    """Sum over the terms of weight * (value - mean) / std.

    Raises:
        ConfigError: a term that neither trafficrl nor an extension has.
    """

    def __init__(
        self, config: RewardConfig, network: Network, extensions: Sequence[Extension] = ()
    ) -> None:
        self._terms = dict(config.terms)
        self._groups = LaneGroups(network)
        self._values = {name: _term(name, extensions) for name in self._terms}

    def pay(self, state: TrafficState) -> tuple[float, dict[str, float]]:
        """The reward of the decision that led to this state, and each term's value in its unit."""
        values = {name: value(state, self._groups) for name, value in self._values.items()}
        reward = sum(
            term.weight * (values[name] - term.mean) / term.std
            for name, term in self._terms.items()
        )
        return reward, values

    def pay_signals(self, state: TrafficState) -> tuple[FloatArray, dict[str, float]]:
        """(S,) the same reward for every signal, and each term's value in its unit."""
        reward, values = self.pay(state)
        return np.full(self._groups.num_signals, reward), values


def build_reward(
    config: RewardConfig, network: Network, extensions: Sequence[Extension] = ()
) -> WeightedReward | LocalReward:
    """What pays the network as a whole, or each signal for what is on the way to it.

    Raises:
        ConfigError: a term that neither trafficrl nor an extension has.
    """
    if isinstance(config, LocalRewardConfig):
        return LocalReward(config, network, extensions)
    return WeightedReward(config, network, extensions)


def _term(name: str, extensions: Sequence[Extension]) -> Callable[..., float]:
    if name in TERMS:
        return TERMS[name]
    return find_function("reward.terms", name, "REWARD_TERMS", extensions).number
