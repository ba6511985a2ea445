"""Controllers that give green to what presses most now: longest queue and max pressure.

A phase counts by its stop-line lanes alone (see `network/approaches.py`). Of equal phases the one
that is shown stays. A phase that serves no lane, for people on foot only, is never chosen as long
as there is traffic.

Shapes: S signals, Q phases of all signals together, L lanes.
"""

from collections.abc import Callable, Sequence

from trafficrl.config.controllers import Count, LongestQueueConfig, MaxPressureConfig
from trafficrl.control.commands import NextPhase
from trafficrl.control.controller import check_whole_steps
from trafficrl.control.phase_choice import PhaseChoice
from trafficrl.demand.scenario import Scenario
from trafficrl.network.approaches import waiting_lanes
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.network.signals import GREEN
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["Greedy", "longest_queue", "max_pressure", "pressing_lanes"]


class Greedy:
    """Every so often each signal goes to the phase whose lanes weigh most.

    Args:
        network: whose signals.
        weights: (Q, L) by which a phase counts what is on a lane.
        count: what is counted.
        interval_s: time between two decisions [s].
        step_s: of the simulation [s].

    Raises:
        ConfigError: the interval is no whole number of steps.
    """

    def __init__(
        self,
        network: Network,
        weights: FloatArray,
        *,
        count: Count,
        interval_s: float,
        step_s: float,
    ) -> None:
        check_whole_steps("interval_s", interval_s, step_s)
        self._choice = PhaseChoice(network)
        self._weights = weights
        self._read = COUNTS[count]
        self._interval_s = interval_s

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """Nothing to forget: each decision is made from the present alone."""
        return ()

    def decide(self, state: TrafficState) -> NextPhase:
        """The heaviest phase of each signal."""
        score = self._weights @ self._read(state)
        return NextPhase(self._choice.best(score, state.phase), self._interval_s)


def longest_queue(network: Network, config: LongestQueueConfig, *, step_s: float) -> Greedy:
    """Green for the phase whose stop-line lanes hold most."""
    return Greedy(
        network,
        waiting_lanes(network),
        count=config.count,
        interval_s=config.interval_s,
        step_s=step_s,
    )


def max_pressure(network: Network, config: MaxPressureConfig, *, step_s: float) -> Greedy:
    """Green for the phase of the largest pressure.

    P. Varaiya, Max pressure control of a network of signalized intersections, Transportation
    Research C 36, 2013. The pressure of a movement is what waits for it less what is on the lanes
    that it leads to. All lanes have the same saturation flow here, and vehicles are taken to spread
    evenly over the lanes that they can go to.
    """
    return Greedy(
        network,
        pressing_lanes(network),
        count=config.count,
        interval_s=config.interval_s,
        step_s=step_s,
    )


def pressing_lanes(network: Network) -> FloatArray:
    """(Q, L) 1 for the stop-line lanes of a phase, less the lanes that each of them leads to.

    Those together weigh -1 for each stop-line lane.
    """
    weights = waiting_lanes(network)
    phases = [(signal, phase) for signal in network.signals for phase in signal.phases]
    index = network.lane_index
    for row, (signal, phase) in zip(weights, phases, strict=True):
        ahead: dict[str, list[str]] = {}
        for link, letter in enumerate(phase.state):
            ends = zip(signal.incoming_lanes[link], signal.outgoing_lanes[link], strict=True)
            for lane, following in ends if letter in GREEN else ():
                ahead.setdefault(lane, []).append(following)
        for lanes in ahead.values():
            for lane in lanes:
                row[index[lane]] -= 1.0 / len(lanes)
    return weights


COUNTS: dict[Count, Callable[[TrafficState], FloatArray]] = {
    Count.queue: lambda state: state.now.queue_veh,
    Count.vehicles: lambda state: state.now.vehicles_veh,
}
