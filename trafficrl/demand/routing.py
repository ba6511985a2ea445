"""How vehicles find their way: shortest paths of the road network, and one table of strategies.

Shapes: E edges of the network in their order, S streets in theirs.
A trip begins on the tail of a street and ends on the tail of another. Lengths are those of the
edges; the way across a junction is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

from trafficrl.network.model import Network

__all__ = ["WAYS", "RoadGraph", "ShortestPaths", "Way", "build_road_graph", "reachable_streets"]


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """Which edge leads to which."""

    edge_ids: tuple[str, ...]  # (E,)
    length_m: tuple[float, ...]  # (E,)
    successors: tuple[tuple[int, ...], ...]  # (E,) edges that each edge leads to, rising
    tails: tuple[int, ...]  # (S,) the edge where trips of each street begin and end


@dataclass(frozen=True, slots=True)
class Way:
    """What a vehicle is told about its way."""

    edges: str
    """Edge ids with blanks between: the whole way, or its two ends if SUMO is to find it."""
    rerouted: bool
    """SUMO looks for the way at departure and again while driving."""


def build_road_graph(network: Network) -> RoadGraph:
    """The edges of the network and what they lead to by its connections."""
    index = {edge.id: i for i, edge in enumerate(network.edges)}
    edge_of_lane = {lane.id: i for i, edge in enumerate(network.edges) for lane in edge.lanes}
    successors: list[set[int]] = [set() for _ in network.edges]
    for link in network.connections:
        successors[edge_of_lane[link.from_lane]].add(edge_of_lane[link.to_lane])
    return RoadGraph(
        edge_ids=tuple(edge.id for edge in network.edges),
        length_m=tuple(edge.length_m for edge in network.edges),
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


class ShortestPaths:
    """The shortest ways between streets, found once for each origin (Dijkstra 1959).

    Of ways equally long the one wins whose edges come first in the network: the same everywhere.
    """

    def __init__(self, graph: RoadGraph) -> None:
        self.graph = graph
        self._before: dict[int, list[int]] = {}

    def edges(self, start: int, end: int) -> list[str]:
        """Edge ids of the shortest way from street `start` to street `end`, both tails included.

        The way must exist: see `reachable_streets`.
        """
        origin, edge = self.graph.tails[start], self.graph.tails[end]
        if origin not in self._before:
            self._before[origin] = _dijkstra(self.graph, origin)
        before = self._before[origin]
        way = [edge]
        while edge != origin:
            edge = before[edge]
            assert edge >= 0, "trips are drawn between connected streets only"
            way.append(edge)
        return [self.graph.edge_ids[edge] for edge in reversed(way)]


def _dijkstra(graph: RoadGraph, origin: int) -> list[int]:
    """(E,) the edge before each edge on the shortest way from origin; -1 where there is none."""
    distance_m = [float("inf")] * len(graph.edge_ids)
    before = [-1] * len(graph.edge_ids)
    distance_m[origin] = 0.0
    queue = [(0.0, origin)]
    while queue:
        so_far_m, edge = heappop(queue)
        if so_far_m > distance_m[edge]:
            continue
        for following in graph.successors[edge]:
            longer_m = so_far_m + graph.length_m[following]
            if longer_m < distance_m[following]:
                distance_m[following] = longer_m
                before[following] = edge
                heappush(queue, (longer_m, following))
    return before


def shortest(paths: ShortestPaths, start: int, end: int) -> Way:
    """The way of least length, which the vehicle keeps."""
    return Way(" ".join(paths.edges(start, end)), rerouted=False)


def realtime(paths: ShortestPaths, start: int, end: int) -> Way:
    """Only the two ends: SUMO's rerouting device finds the way by current travel times."""
    graph = paths.graph
    return Way(f"{graph.edge_ids[graph.tails[start]]} {graph.edge_ids[graph.tails[end]]}", True)


WAYS: dict[str, Callable[[ShortestPaths, int, int], Way]] = {
    "shortest": shortest,
    "realtime": realtime,
}
