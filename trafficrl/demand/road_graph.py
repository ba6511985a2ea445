"""Which edge leads to which, and which streets a vehicle can drive to.

Shapes: E edges of the network in their order, S streets in theirs.
A trip begins on the tail of a street and ends on the tail of another. Lengths are those of the
edges; the way across a junction is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trafficrl.demand.vehicle_types import VEHICLES
from trafficrl.network.model import Network

__all__ = ["RoadGraph", "build_road_graph", "reachable_streets"]


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """Which edge leads to which."""

    edge_ids: tuple[str, ...]  # (E,)
    length_m: tuple[float, ...]  # (E,)
    speed_mps: tuple[float, ...]  # (E,) of a passenger car on the empty edge
    successors: tuple[tuple[int, ...], ...]  # (E,) edges that each edge leads to, rising
    tails: tuple[int, ...]  # (S,) the edge where trips of each street begin and end


def build_road_graph(network: Network) -> RoadGraph:
    """The edges of the network and what they lead to by connections that cars and buses may use."""
    index = {edge.id: i for i, edge in enumerate(network.edges)}
    edge_of_lane = {lane.id: i for i, edge in enumerate(network.edges) for lane in edge.lanes}
    successors: list[set[int]] = [set() for _ in network.edges]
    for link in network.connections:
        ends = (network.lane_index[link.from_lane], network.lane_index[link.to_lane])
        if not all(network.lanes[lane].open_to_all for lane in ends):
            continue
        successors[edge_of_lane[link.from_lane]].add(edge_of_lane[link.to_lane])
    top_mps = VEHICLES["passenger"].max_speed_mps
    return RoadGraph(
        edge_ids=tuple(edge.id for edge in network.edges),
        length_m=tuple(edge.length_m for edge in network.edges),
        speed_mps=tuple(min(edge.speed_mps, top_mps) for edge in network.edges),
        successors=tuple(tuple(sorted(following)) for following in successors),
        tails=tuple(index[street.tail] for street in network.streets),
    )


def reachable_streets(graph: RoadGraph) -> npt.NDArray[np.bool_]:
    """(S, S) whether a vehicle on the tail of the row's street can drive to that of the column.

    Each edge holds the streets that it leads to as the bits of one integer, which is or-ed along
    the connections until nothing changes.
    """
    reach = [0] * len(graph.edge_ids)
    for street, tail in enumerate(graph.tails):
        reach[tail] |= 1 << street
    order = list(range(len(reach)))
    while _spread(reach, order, graph.successors):
        order.reverse()
    num_bytes = (len(graph.tails) + 7) // 8
    packed = b"".join(reach[tail].to_bytes(num_bytes, "little") for tail in graph.tails)
    rows = np.frombuffer(packed, dtype=np.uint8).reshape(len(graph.tails), num_bytes)
    bits = np.unpackbits(rows, axis=1, bitorder="little", count=len(graph.tails))
    return bits.astype(np.bool_)


def _spread(reach: list[int], order: Sequence[int], successors: Sequence[Sequence[int]]) -> bool:
    changed = False
    for edge in order:
        together = reach[edge]
        for following in successors[edge]:
            together |= reach[following]
        if together != reach[edge]:
            reach[edge] = together
            changed = True
    return changed
