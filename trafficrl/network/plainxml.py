"""The city as netconvert's plain XML: nodes, edges with turn lanes at the stop line, connections.

Each street is two edges: the tail (named as the street) up to a node of its own, then the head with
the turn lanes up to the stop line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.sax.saxutils import quoteattr

from trafficrl.network.grid import Grid, GridStreet
from trafficrl.network.model import Junction
from trafficrl.network.turn_lanes import plan_head, receiving_lanes, spread

__all__ = ["CityPlan", "head_id", "save_plain"]

SPEED_MPS = 13.89
JUNCTION_RADIUS_M = 10.0
MOST_HEAD_M = 85.0
HEAD_SHARE = 3.0
"""A head takes at most this part (1/3) of the block (published generator)."""


def head_id(street: str) -> str:
    """Id of the head edge of a street, and of the node where it begins."""
    return f"{street}_H"


@dataclass(frozen=True)
class CityPlan:
    """A grid and how wide its streets are: all that the roads follow from."""

    grid: Grid
    lanes: Mapping[str, int]
    """Street id -> lanes of its tail."""
    block_size_m: float

    @cached_property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """Street id -> directions of each lane at its stop line, from right to left."""
        return {
            street.id: plan_head(
                self.lanes[street.id],
                {letter: self.lanes[s.id] for letter, s in self.grid.exits(street).items()},
            )
            for street in self.grid.streets
        }

    @cached_property
    def entering(self) -> dict[str, set[str]]:
        """Street id -> directions in which other streets enter it."""
        found: dict[str, set[str]] = {street.id: set() for street in self.grid.streets}
        for street in self.grid.streets:
            for letter, following in self.grid.exits(street).items():
                found[following.id].add(letter)
        return found


def save_plain(plan: CityPlan, folder: Path) -> dict[str, Path]:
    """Write the plain files into a folder; option of netconvert -> file."""
    tables = {
        "node-files": ("nodes", "city.nod.xml", _nodes(plan)),
        "edge-files": ("edges", "city.edg.xml", _edges(plan)),
        "connection-files": ("connections", "city.con.xml", _connections(plan)),
    }
    files = {}
    for option, (root, name, rows) in tables.items():
        files[option] = folder / name
        text = "\n".join([f"<{root}>", *(f"    {row}" for row in rows), f"</{root}>", ""])
        files[option].write_text(text, encoding="utf-8")
    return files


def _element(tag: str, attributes: Mapping[str, object]) -> str:
    shown = " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items())
    return f"<{tag} {shown}/>"


def _nodes(plan: CityPlan) -> Iterator[str]:
    for junction in plan.grid.junctions:
        signalised = len(plan.grid.streets_from[junction.id]) > 1
        kind = "traffic_light" if signalised else "priority"
        yield _node(junction, kind, radius=JUNCTION_RADIUS_M)
    for street in plan.grid.streets:
        merges = plan.lanes[street.id] > len(plan.heads[street.id])
        yield _node(_head_start(street, plan.block_size_m), "zipper" if merges else "priority")


def _node(place: Junction, kind: str, **more: float) -> str:
    return _element("node", {"id": place.id, "x": place.x_m, "y": place.y_m, "type": kind, **more})


def _head_start(street: GridStreet, block_size_m: float) -> Junction:
    back_m = min(MOST_HEAD_M, block_size_m / HEAD_SHARE)
    x_m = street.end.x_m - street.heading[0] * back_m
    y_m = street.end.y_m - street.heading[1] * back_m
    return Junction(head_id(street.id), x_m, y_m)


def _edges(plan: CityPlan) -> Iterator[str]:
    for street in plan.grid.streets:
        head = head_id(street.id)
        yield _edge(street.id, street.start.id, head, plan.lanes[street.id])
        yield _edge(head, head, street.end.id, len(plan.heads[street.id]))


def _edge(name: str, start: str, end: str, lanes: int) -> str:
    attributes = {"id": name, "from": start, "to": end, "numLanes": lanes, "speed": SPEED_MPS}
    return _element("edge", attributes)


def _connections(plan: CityPlan) -> Iterator[str]:
    for street in plan.grid.streets:
        lanes = plan.heads[street.id]
        for pair in spread(plan.lanes[street.id], range(len(lanes))):
            yield _connection(street.id, head_id(street.id), *pair)
        for letter, following in plan.grid.exits(street).items():
            places = [lane for lane, letters in enumerate(lanes) if letter in letters]
            targets = receiving_lanes(
                letter,
                from_lanes=len(places),
                entering=plan.entering[following.id],
                to_lanes=plan.lanes[following.id],
            )
            for place, lane in spread(len(places), targets):
                yield _connection(head_id(street.id), following.id, places[place], lane)


def _connection(start: str, end: str, start_lane: int, end_lane: int) -> str:
    attributes = {"from": start, "to": end, "fromLane": start_lane, "toLane": end_lane}
    return _element("connection", attributes)
