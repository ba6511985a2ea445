"""Where public transport stops: at even intervals along the way of a line, clear of junctions.

A stop lies at the kerb of the first section of a street, where the turn lanes have not begun yet.
A bus that stands there is clear of the junction behind it and has room to change lanes before the
end of its section. Where an interval ends elsewhere, the stop moves to the nearest such place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trafficrl.demand.vehicle_types import VEHICLES
from trafficrl.network.model import Edge, Network

__all__ = ["Stop", "StopPlanner"]

BEHIND_M = 10.0
"""Free lane between the rear of a bus at a stop and the junction behind it [m]: a car fits in."""
AHEAD_M = 30.0
"""Free lane before the front of a bus at a stop [m]: room to change lanes."""
BUS_M = VEHICLES["public"].length_m


class Stop(NamedTuple):
    """A place for one bus on a lane."""

    lane: str
    start_m: float
    """Rear of the bus, from the beginning of the lane [m]."""
    end_m: float
    """Front of the bus, from the beginning of the lane [m]."""


@dataclass(frozen=True, slots=True)
class _Kerb:
    """Where along a way the front of a stopping bus may be."""

    lane: str
    offset_m: float
    """From the beginning of the way to that of the lane [m]."""
    first_m: float
    last_m: float
    """From the beginning of the way [m]."""


class StopPlanner:
    """Finds the stops of lines on one network."""

    def __init__(self, network: Network, spacing_m: float) -> None:
        self.network = network
        self.spacing_m = spacing_m
        self._tails = {street.tail for street in network.streets}
        links = network.connections
        self._linked = {link.from_lane for link in links} | {link.to_lane for link in links}

    def plan(self, edges: Sequence[int]) -> list[Stop]:
        """The stops of a line along its way, first to last; none for a spacing of 0.

        A stop is left out where the nearest possible place is less than half a spacing after
        the stop before it.
        """
        kerbs, length_m = self._kerbs(edges)
        if not kerbs or not self.spacing_m:
            return []
        stops, before_m = [], 0.0
        for number in range(1, int(length_m // self.spacing_m) + 1):
            wanted_m = number * self.spacing_m
            kerb, place_m = _nearest(kerbs, wanted_m)
            if place_m - before_m >= self.spacing_m / 2:
                front_m = place_m - kerb.offset_m
                stops.append(Stop(kerb.lane, front_m - BUS_M, front_m))
                before_m = place_m
        return stops

    def _kerbs(self, edges: Sequence[int]) -> tuple[list[_Kerb], float]:
        """Where a bus may stop on its way, and the length of the way [m]."""
        kerbs, offset_m = [], 0.0
        for edge in (self.network.edges[i] for i in edges):
            lane = self._kerb_lane(edge)
            first_m, last_m = BEHIND_M + BUS_M, edge.length_m - AHEAD_M
            if lane is not None and edge.id in self._tails and first_m <= last_m:
                kerbs.append(_Kerb(lane, offset_m, offset_m + first_m, offset_m + last_m))
            offset_m += edge.length_m
        return kerbs, offset_m

    def _kerb_lane(self, edge: Edge) -> str | None:
        """The rightmost lane that a bus can drive on: one that leads somewhere, or from there."""
        return next((lane.id for lane in edge.lanes if lane.id in self._linked), None)


def _nearest(kerbs: Sequence[_Kerb], wanted_m: float) -> tuple[_Kerb, float]:
    """Where to stop instead of wanted_m, and how far that is from the beginning of the way [m]."""
    places = [(kerb, min(max(wanted_m, kerb.first_m), kerb.last_m)) for kerb in kerbs]
    return min(places, key=lambda place: abs(place[1] - wanted_m))
