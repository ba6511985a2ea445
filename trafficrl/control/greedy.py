"""Controllers that give green to what presses most now: longest queue and max pressure.

A phase counts by its stop-line lanes alone (see `network/approaches.py`). Of equal phases the one
that is shown stays. A phase that serves no lane, for people on foot only, is never chosen.

Who turns left across oncoming traffic may find no gap in a phase where he has to yield, and count
for it for ever, where his own phase has no lane that this one has not as well: therefore a phase
that has been green for long counts nothing until another one had its turn.

Shapes: S signals, Q phases of all signals together, L lanes.
"""

from collections.abc import Callable, Sequence

import numpy as np

from trafficrl.config.controllers import Count, GreedyConfig, LongestQueueConfig, MaxPressureConfig
from trafficrl.control.commands import NextPhase
from trafficrl.control.controller import check_whole_steps
from trafficrl.control.phase_choice import PhaseChoice
from trafficrl.demand.scenario import Scenario
from trafficrl.network.approaches import waiting_lanes
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["Greedy", "lane_pressure", "longest_queue", "max_pressure"]


class Greedy:
    """Every so often each signal goes to the phase whose lanes press most.

    Args:
        network: whose signals.
        press: from (L,) what is on the lanes to (L,) how much each presses for green, not negative.
        config: interval, longest green and what is counted.
        step_s: of the simulation [s].

    Raises:
        ConfigError: the interval is no whole number of steps.
    """

    def __init__(
        self,
        network: Network,
        press: Callable[[FloatArray], FloatArray],
        config: GreedyConfig,
        *,
        step_s: float,
    ) -> None:
        check_whole_steps("interval_s", config.interval_s, step_s)
        self._choice = PhaseChoice(network)
        self._lanes = waiting_lanes(network)
        self._first = np.cumsum([0, *(len(signal.phases) for signal in network.signals)])[:-1]
        self._press = press
        self._read = COUNTS[config.count]
        self._config = config

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """Nothing to forget: each decision is made from the present alone."""
        return ()

    def decide(self, state: TrafficState) -> NextPhase:
        """The phase of each signal that presses most."""
        score = self._lanes @ self._press(self._read(state))
        long_green = state.phase_age_s >= self._config.max_green_s
        score[(self._first + state.phase)[long_green]] = 0.0
        return NextPhase(self._choice.best(score, state.phase), self._config.interval_s)


def longest_queue(network: Network, config: LongestQueueConfig, *, step_s: float) -> Greedy:
    """Green for the phase whose stop-line lanes hold most."""
    return Greedy(network, lambda count: count, config, step_s=step_s)


def max_pressure(network: Network, config: MaxPressureConfig, *, step_s: float) -> Greedy:
    """Green for the phase of the largest pressure.

    P. Varaiya, Max pressure control of a network of signalized intersections, Transportation
    Research C 36, 2013. All lanes have the same saturation flow here.
    """
    return Greedy(network, lane_pressure(network), config, step_s=step_s)


def lane_pressure(network: Network) -> Callable[[FloatArray], FloatArray]:
    """From what is on the lanes to the pressure of each, (L,) both.

    That is what is on a lane less the mean of the lanes that it leads to, and never negative: a
    phase may release nobody on a lane, so that no lane makes its phase worse than one without it.
    (Without that a phase of few lanes wins as soon as others lead into queues, and the queues of
    those grow without end.)
    """
    index = network.lane_index
    here = np.array([index[link.from_lane] for link in network.connections], dtype=np.int64)
    ahead = np.array([index[link.to_lane] for link in network.connections], dtype=np.int64)
    count = len(network.lanes)
    ways = np.maximum(np.bincount(here, minlength=count), 1)

    def press(on_lanes: FloatArray) -> FloatArray:
        following = np.bincount(here, weights=on_lanes[ahead], minlength=count) / ways
        return np.maximum(on_lanes - following, 0.0)

    return press


COUNTS: dict[Count, Callable[[TrafficState], FloatArray]] = {
    Count.queue: lambda state: state.now.queue_veh,
    Count.vehicles: lambda state: state.now.vehicles_veh,
}
