"""The pay of a decision: the weighted sum of the configured terms."""

import numpy as np

from trafficrl.config.reward import LocalRewardConfig, RewardConfig
from trafficrl.env.lane_groups import LaneGroups
from trafficrl.env.local_rewards import LocalReward
from trafficrl.env.reward_terms import TERMS
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["WeightedReward", "build_reward"]


class WeightedReward:
    """Sum over the terms of weight * (value - mean) / std."""

    def __init__(self, config: RewardConfig, network: Network) -> None:
        self._terms = dict(config.terms)
        self._groups = LaneGroups(network)

    def pay(self, state: TrafficState) -> tuple[float, dict[str, float]]:
        """The reward of the decision that led to this state, and each term's value in its unit."""
        values = {name: TERMS[name](state, self._groups) for name in self._terms}
        reward = sum(
            term.weight * (values[name] - term.mean) / term.std
            for name, term in self._terms.items()
        )
        return reward, values

    def pay_signals(self, state: TrafficState) -> tuple[FloatArray, dict[str, float]]:
        """(S,) the same reward for every signal, and each term's value in its unit."""
        reward, values = self.pay(state)
        return np.full(self._groups.num_signals, reward), values


def build_reward(config: RewardConfig, network: Network) -> WeightedReward | LocalReward:
    """What pays the network as a whole, or each signal for what is on the way to it."""
    if isinstance(config, LocalRewardConfig):
        return LocalReward(config, network)
    return WeightedReward(config, network)
