"""Trips as the route file that SUMO reads: types first, then vehicles by departure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

from trafficrl.config.scenarios import ROUTING_STRATEGIES, VEHICLE_TYPES
from trafficrl.demand.routing import WAYS, RoadMap, Trip
from trafficrl.demand.stops import Stop, StopPlanner
from trafficrl.demand.trips import Trips
from trafficrl.demand.vehicle_types import type_id, type_xml
from trafficrl.errors import DemandError
from trafficrl.files import save_text

__all__ = ["RouteWriter", "save_routes"]


@dataclass(frozen=True)
class RouteWriter:
    """Turns trips into the text of a route file."""

    roads: RoadMap
    stops: StopPlanner
    dwell_s: float
    """How long public transport stands at each of its stops [s]."""
    insertion: str
    """XML attributes departLane and departSpeed of every vehicle."""

    def text(self, trips: Trips) -> str:
        """The route file of the trips, which are ordered by departure."""
        kinds = zip(trips.vehicle_type.tolist(), trips.strategy.tolist(), strict=True)
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<routes>"]
        for vehicle, strategy in sorted(set(kinds)):
            lines += type_xml(VEHICLE_TYPES[vehicle], ROUTING_STRATEGIES[strategy])
        lines += self._vehicles(trips)
        lines += ["</routes>", ""]
        return "\n".join(lines)

    def _vehicles(self, trips: Trips) -> Iterator[str]:
        find = cache(self._journey)
        columns = (trips.vehicle_type, trips.strategy, trips.number, trips.depart_s, trips.line)
        ends = (trips.start, trips.end, trips.phase)
        rows = zip(*(column.tolist() for column in (*columns, *ends)), strict=True)
        for kind, routing, number, depart_s, line, *trip in rows:
            vehicle, strategy = VEHICLE_TYPES[kind], ROUTING_STRATEGIES[routing]
            tag, way = find(strategy, Trip(*trip), line >= 0)
            of_line = f' line="{line}"' if line >= 0 else ""
            yield (
                f'    <{tag} id="{vehicle}.{number}" type="{type_id(vehicle, strategy)}"'
                f' depart="{depart_s}"{of_line} {self.insertion}{way}'
            )

    def _journey(self, strategy: str, trip: Trip, stopping: bool) -> tuple[str, str]:
        """The element of a vehicle, and all that says where it goes, to the element's end."""
        way = WAYS[strategy](self.roads, trip)
        ids = [self.roads.graph.edge_ids[edge] for edge in way.edges]
        if not way.whole:
            return "trip", f" from={quoteattr(ids[0])} to={quoteattr(ids[-1])}/>"
        stops = self.stops.plan(way.edges) if stopping else ()
        inside = [f"<route edges={quoteattr(' '.join(ids))}/>", *map(self._stop, stops)]
        return "vehicle", f">{''.join(inside)}</vehicle>"

    def _stop(self, stop: Stop) -> str:
        return (
            f'<stop lane={quoteattr(stop.lane)} startPos="{stop.start_m:.2f}"'
            f' endPos="{stop.end_m:.2f}" duration="{self.dwell_s:g}"/>'
        )


def save_routes(path: Path, text: str) -> None:
    """The file holds the text: whole, or (when this fails) what it was before.

    Raises:
        DemandError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_text(path, text, durable=False)
    except OSError as error:
        raise DemandError(f"{path}: the route file cannot be written: {error.strerror}") from error
