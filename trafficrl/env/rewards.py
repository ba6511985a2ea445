"""The pay of a decision: the weighted sum of the configured terms."""

from trafficrl.config.reward import RewardConfig
from trafficrl.env.lane_groups import LaneGroups
from trafficrl.env.reward_terms import TERMS
from trafficrl.network.model import Network
from trafficrl.simulation.state import TrafficState

__all__ = ["WeightedReward"]


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
