"""What each signal is paid for: named terms of what is on the way to it, times weights.

A term is integrated over the whole decision, as those of the whole network are.

Shapes: S signals, L lanes.
"""

from collections.abc import Callable, Sequence

import numpy as np

from trafficrl.config.reward import LocalRewardConfig
from trafficrl.control.greedy import lane_pressure
from trafficrl.env.extensions import Extension, find_function
from trafficrl.network.model import Network
from trafficrl.network.surroundings import Surroundings
from trafficrl.simulation.lane_sums import LaneSums
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["APPROACH_M", "LocalReward"]

APPROACH_M = 300.0
"""How far behind its stop lines a signal answers for the traffic [m]."""

LocalTerm = Callable[[TrafficState], FloatArray]


class LocalReward:
    """For each signal the sum over the terms of weight * (value - mean) / std, and a share of its
    neighbours' mean; no less than the floor, if there is one.

    Raises:
        ConfigError: a term that neither trafficrl nor an extension has.
    """

    def __init__(
        self, config: LocalRewardConfig, network: Network, extensions: Sequence[Extension] = ()
    ) -> None:
        around = Surroundings.of(network, APPROACH_M)
        self._config = config
        self._terms = local_terms(network, around)
        for name in [name for name in config.terms if name not in self._terms]:
            own = find_function("reward.terms", name, "LOCAL_TERMS", extensions)
            self._terms[name] = own.for_network(network, len(network.signals))
        self._neighbours = LaneSums(around.neighbours, len(network.signals))
        self._num_neighbours = np.array([max(len(found), 1) for found in around.neighbours])

    def pay_signals(self, state: TrafficState) -> tuple[FloatArray, dict[str, float]]:
        """(S,) rewards of the decision that led to this state, and each term's mean over them."""
        values = {name: self._terms[name](state) for name in self._config.terms}
        own = np.zeros(len(self._num_neighbours))
        for name, term in self._config.terms.items():
            own += term.weight * (values[name] - term.mean) / term.std
        of_neighbours = self._neighbours(own)[0] / self._num_neighbours
        rewards: FloatArray = own + self._config.neighbour_share * of_neighbours
        if self._config.floor is not None:
            rewards = np.maximum(rewards, self._config.floor)
        return rewards, {name: float(value.mean()) for name, value in values.items()}

    def pay(self, state: TrafficState) -> tuple[float, dict[str, float]]:
        """The mean over the signals, and each term's."""
        rewards, values = self.pay_signals(state)
        return float(rewards.mean()), values


def local_terms(network: Network, around: Surroundings) -> dict[str, LocalTerm]:
    """Name -> (S,) values of a decision.

    local_queue_veh: mean queue on the way to the signal [veh].
    local_delayed_veh: delay gathered there per second (see `reward_terms.py`) [veh].
    local_pressure_veh: sum of the lanes' pressure there (see `control/greedy.py`) [veh].
    local_waiting_min: time since each vehicle there last moved, summed over them [min]. It grows
        with the square of a wait: nobody is left standing for the good of the others.
    backlog_per_signal_veh: those not yet let in, wherever, by the number of signals [veh].
    """
    approach = LaneSums(around.approach, len(network.lanes))
    press = lane_pressure(network)
    count = len(network.signals)
    return {
        "local_queue_veh": lambda s: approach(s.mean.queue_veh)[0],
        "local_delayed_veh": lambda s: approach(s.mean.delayed_veh)[0],
        "local_pressure_veh": lambda s: approach(press(s.mean.vehicles_veh))[0],
        "local_waiting_min": lambda s: approach(s.mean.waiting_s)[0] / 60.0,
        "backlog_per_signal_veh": lambda s: np.full(count, s.mean_backlog_veh / count),
    }
