"""Offsets with which the heaviest flows meet green at one signal after the other."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from trafficrl.demand.planned_ways import PlannedWay
from trafficrl.network.model import Network
from trafficrl.network.signals import GREEN

__all__ = ["Progression", "green_wave_offsets", "linked_offsets"]


class Crossing(NamedTuple):
    """A flow passes a signal."""

    signal: int
    green_begins_s: float
    """The green that releases it, after the begin of a cycle [s]."""


class Progression(NamedTuple):
    """A flow passes two signals one after the other."""

    before: int
    after: int
    lag_s: float
    """How much later the cycle of the second signal should begin [s]."""
    flow_vph: float


def green_wave_offsets(
    network: Network, ways: Iterable[PlannedWay], greens_s: Sequence[Sequence[float]]
) -> list[float]:
    """When the cycles of each signal begin [s]: its green begins as the flow from before arrives.

    Args:
        network: whose signals all have one cycle.
        ways: who drives where.
        greens_s: green of each phase of each signal [s].
    """
    (cycle_s,) = {
        round(sum(row) + len(row) * signal.clearance_s, 6)
        for signal, row in zip(network.signals, greens_s, strict=True)
    }
    found = _progressions(network, ways, greens_s)
    return linked_offsets(found, count=len(network.signals), cycle_s=cycle_s)


def linked_offsets(
    progressions: Iterable[Progression], *, count: int, cycle_s: float
) -> list[float]:
    """Offsets that serve the heaviest progressions, each unless heavier ones decide it already.

    A spanning forest of largest flow (Kruskal 1956): in every ring of signals the weakest flow has
    to take what is left.
    """
    offset_s = [0.0] * count
    group = list(range(count))
    for one in sorted(progressions, key=lambda one: (-one.flow_vph, one)):
        if group[one.before] == group[one.after]:
            continue
        shift_s = offset_s[one.before] + one.lag_s - offset_s[one.after]
        joined, old = group[one.before], group[one.after]
        for signal in range(count):
            if group[signal] == old:
                group[signal] = joined
                offset_s[signal] += shift_s
    return [offset % cycle_s for offset in offset_s]


def _progressions(
    network: Network, ways: Iterable[PlannedWay], greens_s: Sequence[Sequence[float]]
) -> Iterator[Progression]:
    """One for each pair of movements that follow each other; those of equal lag are one."""
    crossings = _crossings(network, greens_s)
    flows: dict[tuple[int, int, float], float] = {}
    for way in ways:
        last: Crossing | None = None
        travel_s = 0.0
        for here, there in pairwise(way.edges):
            edge = network.edges[here]
            travel_s += edge.length_m / edge.speed_mps
            crossing = crossings.get((here, there))
            if crossing is None:
                continue
            if last is not None and last.signal != crossing.signal:
                lag_s = round(last.green_begins_s + travel_s - crossing.green_begins_s, 6)
                key = last.signal, crossing.signal, lag_s
                flows[key] = flows.get(key, 0.0) + way.flow_vph
            last, travel_s = crossing, 0.0
    return (Progression(*key, flow_vph) for key, flow_vph in flows.items())


def _crossings(
    network: Network, greens_s: Sequence[Sequence[float]]
) -> dict[tuple[int, int], Crossing]:
    """Turn at a signal -> the longest green that releases it."""
    edge_of = {lane.id: i for i, edge in enumerate(network.edges) for lane in edge.lanes}
    index = {signal.id: i for i, signal in enumerate(network.signals)}
    found: dict[tuple[int, int], Crossing] = {}
    for link in network.connections:
        number = index.get(link.signal_id or "")
        if number is None:
            continue
        signal, row = network.signals[number], greens_s[number]
        phases = [
            p for p, phase in enumerate(signal.phases) if phase.state[link.link_index] in GREEN
        ]
        if not phases:
            continue
        phase = max(phases, key=lambda p: row[p])
        begins_s = sum(row[:phase]) + phase * signal.clearance_s
        turn = edge_of[link.from_lane], edge_of[link.to_lane]
        found.setdefault(turn, Crossing(number, begins_s))
    return found
