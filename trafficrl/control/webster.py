"""Fixed plans for a known demand: Webster's cycle, greens by critical flow ratios.

F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39, London 1958: of all cycles
the one with the least delay is about (1.5 L + 5) / (1 - Y), where L is the time lost in a cycle and
Y the sum over phases of the largest ratio of flow to saturation flow among the lanes that a phase
serves; greens are shared out by these ratios. Lost are the clearances, and what passes until a
queue moves. As the Highway Capacity Manual has it, demand is that of the busiest quarter of an
hour.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trafficrl.config.controllers import WebsterConfig
from trafficrl.control.green_wave import green_wave_offsets
from trafficrl.control.lane_flows import lane_flows
from trafficrl.control.plans import check_cycle, whole_greens
from trafficrl.demand.planned_ways import planned_ways
from trafficrl.demand.scenario import Scenario
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram, fixed_program
from trafficrl.network.signals import GREEN, Signal

__all__ = ["Movement", "WebsterPlans", "critical_ratios", "webster_cycle_s"]


@dataclass(frozen=True, slots=True)
class Movement:
    """What goes from a lane to one of the edges behind the signal."""

    lane: int
    ratio: float
    """Flow by saturation flow."""
    passing: Mapping[int, float]
    """Phase -> share of the saturation flow at which it passes; 1 in one of them."""


class WebsterPlans:
    """Makes plans for scenarios on one network.

    Raises:
        ConfigError: the longest cycle has no room for the phases of a signal.
    """

    def __init__(self, network: Network, config: WebsterConfig, *, step_s: float) -> None:
        for signal in network.signals:
            check_cycle("max_cycle_s", config.max_cycle_s, signal)
        self._network = network
        edges = enumerate(network.edges)
        self._edge_of = {lane.id: index for index, edge in edges for lane in edge.lanes}
        self._config = config
        self._step_s = step_s

    def programs(self, scenario: Scenario) -> list[SignalProgram]:
        """The plan of every signal for the demand of a scenario.

        Raises:
            DemandError: a route file that cannot be read.
        """
        ways = planned_ways(
            scenario, self._network, step_s=self._step_s, peak_s=self._config.peak_s
        )
        flows = lane_flows(self._network, ways)
        signals = self._network.signals
        ratios = [self._ratios(signal, flows) for signal in signals]
        cycles_s = [
            self._cycle_s(signal, sum(row)) for signal, row in zip(signals, ratios, strict=True)
        ]
        if self._config.green_wave:
            cycles_s = [max(cycles_s)] * len(cycles_s)
        greens_s = [
            whole_greens(
                signal, row if any(row) else [1.0] * len(row), cycle_s=cycle_s, step_s=self._step_s
            )
            for signal, row, cycle_s in zip(signals, ratios, cycles_s, strict=True)
        ]
        offsets_s = [0.0] * len(signals)
        if self._config.green_wave:
            offsets_s = green_wave_offsets(self._network, ways, greens_s)
        return [
            fixed_program(signal, greens, offset_s=offset_s)
            for signal, greens, offset_s in zip(signals, greens_s, offsets_s, strict=True)
        ]

    def _ratios(self, signal: Signal, flows: Mapping[tuple[int, int], float]) -> list[float]:
        """Share of time that each phase of a signal needs."""
        lanes = self._network.lane_index
        saturation_vph = self._config.saturation_flow_vph
        movements: dict[tuple[int, int], Movement] = {}
        for link, ends in enumerate(zip(signal.incoming_lanes, signal.outgoing_lanes, strict=True)):
            passing = self._passing([phase.state[link] for phase in signal.phases])
            for lane, following in zip(*ends, strict=True) if passing else ():
                key = lanes[lane], self._edge_of[following]
                ratio = flows.get(key, 0.0) / saturation_vph
                movements.setdefault(key, Movement(lanes[lane], ratio, passing))
        return critical_ratios(movements.values(), num_phases=len(signal.phases))

    def _passing(self, letters: Sequence[str]) -> dict[int, float]:
        """Phase -> share of the saturation flow at which a link passes in it."""
        green = {phase: letter for phase, letter in enumerate(letters) if letter in GREEN}
        yielding = self._config.yielding_share if "G" in letters else 1.0
        return {phase: 1.0 if letter == "G" else yielding for phase, letter in green.items()}

    def _cycle_s(self, signal: Signal, ratio: float) -> float:
        count = len(signal.phases)
        lost_s = count * (signal.clearance_s + self._config.start_lost_s)
        least_s = count * (signal.clearance_s + signal.min_green_s)
        least_s = max(self._config.min_cycle_s, least_s)
        cycle_s = webster_cycle_s(
            lost_s, ratio, low_s=least_s, high_s=max(least_s, self._config.max_cycle_s)
        )
        return float(np.ceil(cycle_s / self._step_s - 1e-9) * self._step_s)


def webster_cycle_s(lost_s: float, ratio: float, *, low_s: float, high_s: float) -> float:
    """Webster's cycle within limits [s]; the upper one where the demand is more than can pass.

    Args:
        lost_s: in each cycle, L [s].
        ratio: sum of the critical flow ratios, Y.
        low_s: lower limit [s].
        high_s: upper limit [s].
    """
    if ratio >= 1.0:
        return high_s
    return min(max((1.5 * lost_s + 5.0) / (1.0 - ratio), low_s), high_s)


def critical_ratios(movements: Iterable[Movement], *, num_phases: int) -> list[float]:
    """The share of time that each phase needs, at least, for all movements to be served.

    Movements of one lane that have the same phases add up. Where each lane has one phase, a phase
    needs the largest ratio of its lanes. What several phases serve asks only for what they lack
    after all that has fewer phases; each phase in which it passes best gets an equal part of that.
    """
    needed = [0.0] * num_phases
    together: dict[tuple[tuple[tuple[int, float], ...], int], float] = {}
    for one in movements:
        key = tuple(sorted(one.passing.items())), one.lane
        together[key] = together.get(key, 0.0) + one.ratio
    for (passing, _), ratio in sorted(together.items(), key=lambda one: len(one[0][0])):
        lacking = ratio - sum(share * needed[phase] for phase, share in passing)
        best = max(share for _, share in passing)
        phases = [phase for phase, share in passing if share == best]
        for phase in phases if lacking > 0 else ():
            needed[phase] += lacking / len(phases)
    return needed
