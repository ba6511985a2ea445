"""The cheapest ways through the road network, by length, time or any other cost of its edges.

Shapes: E edges of the network in their order.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from trafficrl.demand.road_graph import RoadGraph

__all__ = ["CheapestPaths"]


class CheapestPaths:
    """The cheapest ways between streets, found once for each origin (Dijkstra 1959).

    Of ways equally cheap the one wins whose edges come first in the network: the same everywhere.
    """

    def __init__(self, graph: RoadGraph, cost: Sequence[float]) -> None:
        self.graph = graph
        self.cost = cost
        self._before: dict[int, list[int]] = {}

    def edges(self, start: int, end: int) -> tuple[int, ...]:
        """Edges of the cheapest way from street `start` to street `end`, both tails included.

        The way must exist: see `reachable_streets`.
        """
        way = self.between(self.graph.tails[start], self.graph.tails[end])
        assert way, "trips are drawn between connected streets only"
        return way

    def between(self, origin: int, edge: int) -> tuple[int, ...]:
        """Edges of the cheapest way from edge `origin` to another, both included; none if there
        is no way."""
        if origin not in self._before:
            self._before[origin] = _dijkstra(self.graph.successors, self.cost, origin)
        before = self._before[origin]
        way = [edge]
        while edge != origin:
            edge = before[edge]
            if edge < 0:
                return ()
            way.append(edge)
        return tuple(reversed(way))


def _dijkstra(successors: Sequence[Sequence[int]], cost: Sequence[float], origin: int) -> list[int]:
    """(E,) the edge before each edge on the cheapest way from origin; -1 where there is none."""
    best = [float("inf")] * len(successors)
    before = [-1] * len(successors)
    best[origin] = 0.0
    queue = [(0.0, origin)]
    while queue:
        so_far, edge = heappop(queue)
        if so_far > best[edge]:
            continue
        for following in successors[edge]:
            further = so_far + cost[following]
            if further < best[following]:
                best[following] = further
                before[following] = edge
                heappush(queue, (further, following))
    return before
