"""Trips as the route file that SUMO reads: types first, then vehicles by departure."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

from trafficrl.config.scenarios import ROUTING_STRATEGIES, VEHICLE_TYPES
from trafficrl.demand.routing import WAYS, ShortestPaths, Way
from trafficrl.demand.trips import Trips
from trafficrl.demand.vehicle_types import type_id, type_xml
from trafficrl.errors import DemandError
from trafficrl.files import save_text

__all__ = ["build_routes", "save_routes"]


def build_routes(trips: Trips, paths: ShortestPaths, *, insertion: str) -> tuple[str, bool]:
    """The text of the route file, and whether some vehicle carries the rerouting device.

    Args:
        trips: who drives, ordered by departure.
        paths: finds the ways that the routing strategies ask for.
        insertion: XML attributes departLane and departSpeed of every vehicle.
    """
    find = cache(lambda strategy, start, end: WAYS[strategy](paths, start, end))
    strategies = (ROUTING_STRATEGIES[i] for i in trips.strategy)
    ways = list(map(find, strategies, trips.start.tolist(), trips.end.tolist()))
    vehicles = [VEHICLE_TYPES[i] for i in trips.vehicle_type]
    types = dict.fromkeys(zip(vehicles, (way.rerouted for way in ways), strict=True))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<routes>"]
    lines += [line for vehicle, rerouted in sorted(types) for line in type_xml(vehicle, rerouted)]
    lines += _vehicles_xml(trips, vehicles, ways, insertion)
    lines += ["</routes>", ""]
    return "\n".join(lines), any(rerouted for _, rerouted in types)


def _vehicles_xml(
    trips: Trips, vehicles: Iterable[str], ways: Iterable[Way], insertion: str
) -> Iterator[str]:
    columns = (trips.number.tolist(), trips.depart_s.tolist(), trips.line.tolist())
    for vehicle, way, number, depart_s, line in zip(vehicles, ways, *columns, strict=True):
        of_line = f' line="{line}"' if line >= 0 else ""
        vehicle_id, vehicle_type = f"{vehicle}.{number}", type_id(vehicle, way.rerouted)
        head = f'id="{vehicle_id}" type="{vehicle_type}" depart="{depart_s}"{of_line} {insertion}'
        if way.rerouted:
            origin, destination = way.edges.split(" ")
            yield f"    <trip {head} from={quoteattr(origin)} to={quoteattr(destination)}/>"
        else:
            yield f"    <vehicle {head}><route edges={quoteattr(way.edges)}/></vehicle>"


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
