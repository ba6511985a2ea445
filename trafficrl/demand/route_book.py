"""What a route file names before its vehicles use it: types and routes, held to the network.

Shapes: none; an edge is an index into the network's edges, -1 where the file does not say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import NamedTuple
from xml.etree.ElementTree import Element

from trafficrl.errors import DemandError
from trafficrl.network.model import Network
from trafficrl.network.permissions import on_roads

__all__ = ["DEFAULT_TYPE", "Ends", "RouteBook"]

DEFAULT_TYPE = "DEFAULT_VEHTYPE"
DEFAULT_CLASSES = {
    DEFAULT_TYPE: "passenger",
    "DEFAULT_TAXITYPE": "taxi",
    "DEFAULT_BIKETYPE": "bicycle",
    "DEFAULT_RAILTYPE": "rail",
    "DEFAULT_PEDTYPE": "pedestrian",
    "DEFAULT_CONTAINERTYPE": "container",
}
"""Types that SUMO knows from the beginning, and their vehicle class."""


class Ends(NamedTuple):
    """Where a vehicle starts and ends."""

    from_edge: int
    to_edge: int


@dataclass
class _Route:
    """The choices of a named route: one, or those of a distribution."""

    ways: list[Sequence[str]]
    joined: bool = False


class RouteBook:
    """The types and routes read so far; SUMO too knows only what stands before the vehicle."""

    def __init__(self, network: Network) -> None:
        self._index = {edge.id: i for i, edge in enumerate(network.edges)}
        edge_of = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
        links = network.connections
        self._joined = {(edge_of[link.from_lane], edge_of[link.to_lane]) for link in links}
        self._on_roads = {name: on_roads({"allow": c}) for name, c in DEFAULT_CLASSES.items()}
        self._routes: dict[str, _Route] = {}

    def define(self, element: Element) -> bool:
        """The type, route or distribution is known from now on; False if it is none of these.

        Raises:
            DemandError: its content cannot be used.
        """
        name = element.get("id", "")
        if element.tag == "vType":
            self._define_type(name, element)
        elif element.tag == "vTypeDistribution":
            members = [one.get("refId", one.get("id", "")) for one in element.iter("vType")]
            for member in element.iter("vType"):
                self._define_type(member.get("id", ""), member)
            members += element.get("vTypes", "").split()
            self._on_roads[name] = all(self._on_roads.get(member, True) for member in members)
        elif element.tag == "route":
            self._routes[name] = _Route([self._way(element)])
        elif element.tag == "routeDistribution":
            self._routes[name] = _Route(self._ways(element))
        else:
            return False
        return True

    def ends(self, vehicle: Element, *, due: bool) -> Ends:
        """Where a vehicle, trip or flow starts and ends.

        Args:
            vehicle: the element with its route, or the attributes that say where it goes.
            due: it will drive, so its way must have no gap.

        Raises:
            DemandError: a type, route or edge that does not exist, or a way with a gap.
        """
        kind = vehicle.get("type", DEFAULT_TYPE)
        if kind not in self._on_roads:
            raise DemandError(
                f"its type {kind!r} is not defined before it{_near(kind, self.types)}"
            )
        on_road = self._on_roads[kind]
        named = vehicle.get("route")
        if named is not None and vehicle.tag != "trip":
            if named not in self._routes:
                hint = _near(named, self._routes)
                raise DemandError(f"its route {named!r} is not defined before it{hint}")
            route = self._routes[named]
        else:
            route = _Route(self._inner_ways(vehicle))
        if not route.ways:
            return self._ends_of_trip(vehicle, on_road=on_road)
        if on_road and not route.joined:
            for way in route.ways:
                self._check_way(way, due=due)
            route.joined = due
        firsts = {self._index.get(way[0], -1) for way in route.ways}
        lasts = {self._index.get(way[-1], -1) for way in route.ways}
        return Ends(_only(firsts), _only(lasts))

    def way(self, vehicle: Element) -> tuple[int, ...]:
        """The edges that a vehicle, trip or flow names on its way, as far as the network has them.

        Those of its route (the first one where it has a choice), otherwise from, via and to.
        """
        named = vehicle.get("route")
        if named is not None and vehicle.tag != "trip":
            ways = self._routes[named].ways
        else:
            ways = self._inner_ways(vehicle)
        points = (vehicle.get(name, "").split() for name in ("from", "via", "to"))
        names = ways[0] if ways else [edge for point in points for edge in point]
        return tuple(self._index[name] for name in names if name in self._index)

    @property
    def types(self) -> Iterable[str]:
        """Names of all types."""
        return self._on_roads

    def _define_type(self, name: str, element: Element) -> None:
        if element.get("scale") not in (None, "1", "1.0"):
            raise DemandError(
                f"vType {name!r}: scale={element.get('scale')!r} is not supported: it changes how "
                "many vehicles depart; write as many as you mean"
            )
        if name:  # without one it stands for another type, by refId
            self._on_roads[name] = on_roads({"allow": element.get("vClass", "passenger")})

    def _inner_ways(self, vehicle: Element) -> list[Sequence[str]]:
        route = vehicle.find("route")
        if route is not None:
            return [self._way(route)]
        choice = vehicle.find("routeDistribution")
        return [] if choice is None else self._ways(choice)

    def _ways(self, distribution: Element) -> list[Sequence[str]]:
        ways = [self._way(route) for route in distribution.iter("route")]
        for name in distribution.get("routes", "").split():
            ways += self._routes[name].ways if name in self._routes else []
        if not ways:
            raise DemandError(f"routeDistribution {distribution.get('id', '')!r} has no route")
        return ways

    def _way(self, route: Element) -> Sequence[str]:
        refers = route.get("refId")
        if refers is not None and refers in self._routes:
            return self._routes[refers].ways[0]
        way = route.get("edges", "").split()
        if not way:
            raise DemandError(f"a route {route.get('id', '')!r} without edges".replace(" ''", ""))
        return way

    def _check_way(self, way: Sequence[str], *, due: bool) -> None:
        if not self._index.keys() >= set(way):
            place = next(i for i, edge in enumerate(way) if edge not in self._index)
            self._known(way[place], f"edge {place + 1} of its route")
        if due and not self._joined.issuperset(pairwise(way)):
            gap = next(pair for pair in pairwise(way) if pair not in self._joined)
            raise DemandError(
                f"no connection leads from edge {gap[0]!r} to {gap[1]!r} of its route"
            )

    def _ends_of_trip(self, trip: Element, *, on_road: bool) -> Ends:
        where = trip.attrib.keys() & {"from", "to", "via"}
        elsewhere = [name for name in trip.attrib if name.startswith(("from", "to"))]
        if trip.tag == "vehicle" or not (where or elsewhere or trip.find("stop") is not None):
            wanted = "route" if trip.tag == "vehicle" else "route, or from and to"
            raise DemandError(f"it has no {wanted}")
        if on_road:
            for name in sorted(where):
                for edge in trip.attrib[name].split():
                    self._known(edge, name)
        first, last = (trip.get(name, "").split() for name in ("from", "to"))
        return Ends(
            self._index.get(first[0], -1) if first else -1,
            self._index.get(last[-1], -1) if last else -1,
        )

    def _known(self, edge: str, what: str) -> None:
        if edge not in self._index:
            raise DemandError(
                f"{what} is {edge!r}: the network has no such road{_near(edge, self._index)}"
            )


def _only(values: set[int]) -> int:
    return values.pop() if len(values) == 1 else -1


def _near(name: str, choices: Iterable[str]) -> str:
    near = get_close_matches(name, choices, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
