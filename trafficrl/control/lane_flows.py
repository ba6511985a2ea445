"""Planned traffic at the stop lines: how many vehicles each lane has to carry."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from trafficrl.demand.planned_ways import PlannedWay
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray

__all__ = ["lane_flows", "turning_flows"]

Turn = tuple[int, int]
"""From an edge of the network to the next."""


def turning_flows(ways: Iterable[PlannedWay]) -> dict[Turn, float]:
    """Vehicles that go from one edge to the next [veh/h]."""
    flows: dict[Turn, float] = {}
    for way in ways:
        for turn in pairwise(way.edges):
            flows[turn] = flows.get(turn, 0.0) + way.flow_vph
    return flows


def lane_flows(network: Network, ways: Iterable[PlannedWay]) -> dict[tuple[int, int], float]:
    """(lane, next edge) -> vehicles that go from the end of the lane to that edge [veh/h].

    Drivers who can choose among lanes make them even: turns with few lanes are placed first, then
    the others fill up what is left.
    """
    lanes_of = _lanes_of_turns(network)
    load_vph: FloatArray = np.zeros(len(network.lanes))
    flows: dict[tuple[int, int], float] = {}
    found = turning_flows(ways).items()
    known = [(lanes_of[turn], turn[1], vph) for turn, vph in found if turn in lanes_of]
    for lanes, following, flow_vph in sorted(known, key=lambda one: (len(one[0]), one)):
        added_vph = _levelled(load_vph[lanes], flow_vph)
        load_vph[lanes] += added_vph
        flows.update(zip(((lane, following) for lane in lanes), added_vph.tolist(), strict=True))
    return flows


def _lanes_of_turns(network: Network) -> dict[Turn, list[int]]:
    """Turn -> the lanes that it may leave from, rising."""
    edge_of = {lane.id: i for i, edge in enumerate(network.edges) for lane in edge.lanes}
    lanes: dict[Turn, set[int]] = {}
    for link in network.connections:
        turn = edge_of[link.from_lane], edge_of[link.to_lane]
        lanes.setdefault(turn, set()).add(network.lane_index[link.from_lane])
    return {turn: sorted(members) for turn, members in lanes.items()}


def _levelled(flows: FloatArray, more: float) -> FloatArray:
    """What each lane gets of some more traffic, so that the emptiest fill up first."""
    level = np.sort(flows)
    for count in range(1, len(level) + 1):
        height = (more + level[:count].sum()) / count
        if count == len(level) or height <= level[count]:
            break
    added: FloatArray = np.maximum(height - flows, 0.0)
    return added
