"""The network as the tree method sees it: streets, their heads, and which phase serves which head.

A head is a group of lanes at the end of a street that shares one part of the street's cost. The
original takes one edge for one head, which tells movements apart only where each has an edge of its
own. Here a head is the stop-line lanes of one edge that lead to the same streets in the same
phases, so that turn lanes side by side on one edge, or on a street of a single edge, are told apart
as well; where each movement has an edge, the two are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trafficrl.config.tree_method import HeadGrouping, TreeMethodConfig
from trafficrl.control.tree_method.pieces import find_tails
from trafficrl.network.model import Edge, Network
from trafficrl.network.signals import GREEN
from trafficrl.simulation.state import IntArray

__all__ = ["Head", "Link", "build_links"]


@dataclass(frozen=True, slots=True)
class Head:
    """Lanes at the end of a street that wait for the same phases."""

    lanes: IntArray
    """Indices into `Network.lanes`."""
    phases: tuple[tuple[int, int], ...]
    """(signal, phase) that make one of the lanes green; none where they pass no signal."""


@dataclass(frozen=True, slots=True)
class Link:
    """A street: from one junction to the stop line of the next."""

    edge: int
    """Index into `Network.edges` of its tail, whose length, lanes, limit and speed are its own."""
    length_m: float
    num_lanes: int
    limit_kmh: float
    upstream: tuple[int, ...]
    downstream: tuple[int, ...]
    heads: tuple[Head, ...]
    leads_to_signal: bool


@dataclass(slots=True)
class StopLane:
    """What a lane at the end of a street leads to."""

    streets: set[str]
    """Tails."""
    phases: set[tuple[int, int]]
    signalised: bool


def build_links(network: Network, config: TreeMethodConfig) -> tuple[Link, ...]:
    """All streets of the network, in the order of their tails among its edges."""
    tails = find_tails(network)
    stop_lanes = _stop_lanes(network, tails, GREEN if config.permissive_green else "G")
    names = [edge.id for edge in network.edges if tails[edge.id] == edge.id]
    number = {name: index for index, name in enumerate(names)}
    pieces: dict[str, list[Edge]] = {name: [] for name in names}
    for edge in network.edges:
        pieces[tails[edge.id]].append(edge)
    ahead = {
        name: {street for lane in _lanes(pieces[name], stop_lanes) for street in lane.streets}
        for name in names
    }
    behind: dict[str, list[int]] = {name: [] for name in names}
    for name in names:
        for street in ahead[name]:
            behind[street].append(number[name])
    position = {edge.id: index for index, edge in enumerate(network.edges)}
    return tuple(
        Link(
            edge=position[name],
            length_m=network.edge_by_id[name].length_m,
            num_lanes=len(network.edge_by_id[name].lanes),
            limit_kmh=network.edge_by_id[name].speed_mps * 3.6,
            upstream=tuple(behind[name]),
            downstream=tuple(sorted(number[street] for street in ahead[name])),
            heads=tuple(_heads(network, pieces[name], stop_lanes, config.heads)),
            leads_to_signal=any(lane.signalised for lane in _lanes(pieces[name], stop_lanes)),
        )
        for name in names
    )


def _stop_lanes(network: Network, tails: dict[str, str], green: str) -> dict[str, StopLane]:
    """Lanes by id from which some movement leaves the street."""
    signals = {signal.id: index for index, signal in enumerate(network.signals)}
    edge_of = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
    stop_lanes: dict[str, StopLane] = {}
    for connection in network.connections:
        street, following = (
            tails[edge_of[connection.from_lane]],
            tails[edge_of[connection.to_lane]],
        )
        index = signals.get(connection.signal_id or "")
        if index is None and street == following:
            continue  # within the street
        lane = stop_lanes.setdefault(connection.from_lane, StopLane(set(), set(), False))
        lane.streets.add(following)
        if index is not None:
            lane.signalised = True
            for phase, planned in enumerate(network.signals[index].phases):
                if planned.state[connection.link_index] in green:
                    lane.phases.add((index, phase))
    return stop_lanes


def _lanes(pieces: list[Edge], stop_lanes: dict[str, StopLane]) -> Iterator[StopLane]:
    for edge in pieces:
        for lane in edge.lanes:
            if lane.id in stop_lanes:
                yield stop_lanes[lane.id]


def _heads(
    network: Network, pieces: list[Edge], stop_lanes: dict[str, StopLane], grouping: HeadGrouping
) -> Iterator[Head]:
    for edge in pieces:
        groups: dict[object, list[str]] = {}
        for lane in edge.lanes:
            if lane.id in stop_lanes:
                stop = stop_lanes[lane.id]
                alike = (frozenset(stop.streets), frozenset(stop.phases))
                key = edge.id if grouping is HeadGrouping.edges else alike
                groups.setdefault(key, []).append(lane.id)
        for lanes in groups.values():
            yield Head(
                np.array([network.lane_index[lane] for lane in lanes]),
                tuple(sorted(set().union(*(stop_lanes[lane].phases for lane in lanes)))),
            )
