"""What lies around each phase and signal: the lanes before its stop line, and who is next to it.

A street may consist of many sections: in a generated city a tail and short heads with the turn
lanes, on a map whatever lies between two side streets. What drives on any of them will want the
green of the signal at its end, so sections are joined past junctions without signals.

Shapes: Q phases of all signals together (signal by signal), S signals.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trafficrl.network.model import Network
from trafficrl.network.signals import GREEN, Signal

__all__ = ["Surroundings"]

Groups = list[list[int]]
"""Lanes (or signals) by their index, rising."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Lanes by phase and by signal, and the signals that are next to each other."""

    stop: Groups  # (Q,)
    """Lanes that end at the stop line and that the phase releases."""
    behind: Groups  # (Q,)
    """Lanes that lead to those, and begin to do so within reach."""
    sending: Groups  # (Q,)
    """Lanes before other signals, from which vehicles come onto the lanes of the two above."""
    ahead: Groups  # (Q,)
    """Lanes that the phase leads into."""
    approach: Groups  # (S,)
    """Stop-line lanes of all phases of a signal, and the lanes behind them."""
    neighbours: Groups  # (S,)
    """Signals that send to a signal, and those that it sends to."""
    end_m: dict[int, float]
    """Of the lanes in `stop` and `behind`: from their end to the nearest stop line [m]."""

    @classmethod
    def of(cls, network: Network, reach_m: float) -> "Surroundings":
        """Those of all signals of the network.

        Args:
            network: whose signals.
            reach_m: lanes count whose end is nearer to the stop line than that [m].
        """
        roads = _Roads(network, reach_m)
        phases = [(signal, phase) for signal in network.signals for phase in signal.phases]
        index = network.lane_index
        stop = [
            [index[lane] for lane in _green_lanes(phase.state, signal.incoming_lanes)]
            for signal, phase in phases
        ]
        ahead = [
            [index[lane] for lane in _green_lanes(phase.state, signal.outgoing_lanes)]
            for signal, phase in phases
        ]
        ends = [roads.end_m(lanes) for lanes in stop]
        behind = [sorted(set(found) - set(lanes)) for found, lanes in zip(ends, stop, strict=True)]
        approach, neighbours = _by_signal(network.signals, roads, stop, behind)
        return cls(
            stop=[sorted(lanes) for lanes in stop],
            behind=behind,
            sending=[
                roads.sending([*near, *far], signal.id)
                for near, far, (signal, _) in zip(stop, behind, phases, strict=True)
            ],
            ahead=[sorted(lanes) for lanes in ahead],
            approach=approach,
            neighbours=neighbours,
            end_m=_nearest(ends),
        )


class _Roads:
    """Which lanes lead into a lane: freely, or through the green of a signal."""

    def __init__(self, network: Network, reach_m: float) -> None:
        index, known = network.lane_index, {signal.id for signal in network.signals}
        self._reach_m = reach_m
        self._length_m = [lane.length_m for lane in network.lanes]
        self._free: dict[int, list[int]] = {}
        self._signalled: dict[int, list[tuple[int, str]]] = {}
        for link in network.connections:
            here, there = index[link.from_lane], index[link.to_lane]
            if link.signal_id in known:
                assert link.signal_id is not None
                self._signalled.setdefault(there, []).append((here, link.signal_id))
            else:
                self._free.setdefault(there, []).append(here)

    def end_m(self, lanes: Iterable[int]) -> dict[int, float]:
        """How far from the stop line these lanes end, and those within reach that lead freely into
        them, by the nearest way [m]."""
        ends_m = dict.fromkeys(lanes, 0.0)
        todo = list(ends_m)
        while todo:
            lane = todo.pop()
            begun_m = ends_m[lane] + self._length_m[lane]
            for before in self._free.get(lane, ()):
                if begun_m < self._reach_m and begun_m < ends_m.get(before, float("inf")):
                    ends_m[before] = begun_m
                    todo.append(before)
        return ends_m

    def sending(self, lanes: Iterable[int], signal_id: str) -> list[int]:
        """The lanes before other signals whose green leads into these."""
        return sorted({lane for lane, sender in self._senders(lanes) if sender != signal_id})

    def senders(self, lanes: Iterable[int]) -> set[str]:
        """The signals whose green leads into these lanes."""
        return {sender for _, sender in self._senders(lanes)}

    def _senders(self, lanes: Iterable[int]) -> Iterator[tuple[int, str]]:
        for lane in lanes:
            yield from self._signalled.get(lane, ())


def _nearest(ends: Iterable[dict[int, float]]) -> dict[int, float]:
    nearest: dict[int, float] = {}
    for found in ends:
        for lane, end_m in found.items():
            nearest[lane] = min(end_m, nearest.get(lane, end_m))
    return nearest


def _by_signal(
    signals: tuple[Signal, ...], roads: _Roads, stop: Groups, behind: Groups
) -> tuple[Groups, Groups]:
    """(approach, neighbours) of all signals."""
    place = {signal.id: number for number, signal in enumerate(signals)}
    approach: Groups = []
    neighbours: list[set[int]] = [set() for _ in signals]
    first = 0
    for number, signal in enumerate(signals):
        phases = range(first, first + len(signal.phases))
        first += len(signal.phases)
        lanes = sorted({lane for q in phases for lane in (*stop[q], *behind[q])})
        approach.append(lanes)
        for other in {place[name] for name in roads.senders(lanes)} - {number}:
            neighbours[number].add(other)
            neighbours[other].add(number)
    return approach, [sorted(found) for found in neighbours]


def _green_lanes(state: str, lanes_of_link: tuple[tuple[str, ...], ...]) -> set[str]:
    links = [link for link, letter in enumerate(state) if letter in GREEN]
    return {lane for link in links for lane in lanes_of_link[link]}
