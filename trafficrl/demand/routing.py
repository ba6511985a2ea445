"""How vehicles find their way: one table of strategies.

What a vehicle does once it drives is in `vehicle_types.REROUTING`: SUMO's own device looks for a
better way, so nothing is done vehicle by vehicle in Python while a simulation runs.

Shapes: S streets, D day phases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from trafficrl.demand.paths import CheapestPaths
from trafficrl.demand.road_graph import RoadGraph
from trafficrl.network.model import Network

__all__ = ["WAYS", "RoadMap", "Trip", "Way"]


@dataclass(frozen=True, slots=True)
class Trip:
    """From where to where, and in which day phase."""

    start: int
    """Index into the network's streets."""
    end: int
    """Index into the network's streets."""
    phase: int
    """Index into DAY_PHASES."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a vehicle is told about its way."""

    edges: tuple[int, ...]
    """Edges of the network, first to last; only these two if SUMO is to find the way."""
    whole: bool


class RoadMap:
    """What drivers know about the network before they set out."""

    def __init__(self, network: Network, graph: RoadGraph) -> None:
        self.graph = graph
        weights = [street.arrive_weight for street in network.streets]
        self._arrive_weight = dict(zip(graph.tails, weights, strict=True))

    @cached_property
    def shortest(self) -> CheapestPaths:
        """Ways of least length."""
        return CheapestPaths(self.graph, self.graph.length_m)

    @cached_property
    def fastest(self) -> CheapestPaths:
        """Ways of least time on empty streets."""
        if len(set(self.graph.speed_mps)) == 1:
            return self.shortest
        pairs = zip(self.graph.length_m, self.graph.speed_mps, strict=True)
        return CheapestPaths(self.graph, [length_m / speed_mps for length_m, speed_mps in pairs])

    def attraction(self, edges: tuple[int, ...], phase: int) -> float:
        """How attractive a way is, 0 to about 1: short, and along streets that draw people.

        The score of the published grid study, 0.7 / (1 + km) + 0.3 * weight / 10, with the length
        of the way and the mean weight by which its streets draw arrivals.
        """
        length_m = sum(self.graph.length_m[edge] for edge in edges)
        drawn = [self._arrive_weight[edge] for edge in edges if edge in self._arrive_weight]
        mean = sum(weight[phase] for weight in drawn) / len(drawn)
        return 0.7 / (1 + length_m / 1000) + 0.3 * mean / 10


def shortest(roads: RoadMap, trip: Trip) -> Way:
    """The way of least length, which the vehicle keeps."""
    return Way(roads.shortest.edges(trip.start, trip.end), whole=True)


def realtime(roads: RoadMap, trip: Trip) -> Way:
    """Only the two ends: SUMO finds the way by the speeds at departure, and again and again."""
    tails = roads.graph.tails
    return Way((tails[trip.start], tails[trip.end]), whole=False)


def fastest(roads: RoadMap, trip: Trip) -> Way:
    """The way of least time on empty streets, until a faster one shows while driving."""
    return Way(roads.fastest.edges(trip.start, trip.end), whole=True)


def attractiveness(roads: RoadMap, trip: Trip) -> Way:
    """The more attractive of the shortest and the fastest way, until a faster one shows.

    SUMO's device looks for ways by time alone: attractiveness decides at departure, and holds the
    vehicle to its way as long as no other is clearly faster.
    """
    short, fast = shortest(roads, trip), fastest(roads, trip)
    if short == fast:
        return short
    return max(short, fast, key=lambda way: roads.attraction(way.edges, trip.phase))


WAYS: dict[str, Callable[[RoadMap, Trip], Way]] = {
    "shortest": shortest,
    "realtime": realtime,
    "fastest": fastest,
    "attractiveness": attractiveness,
}
"""Routing strategy -> how its vehicles set out."""
