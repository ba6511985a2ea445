"""The city as netconvert's plain XML: nodes, edges with turn lanes at the stop line, connections.

Each street is a tail (named as the street) up to a node of its own, then heads side by side up to
the stop line, one for the turns that share lanes; or the tail alone where there are no turn lanes.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from trafficrl.network.grid import GridStreet
from trafficrl.network.model import Junction
from trafficrl.network.street_plan import CityPlan, Head, head_start
from trafficrl.network.turn_lanes import receiving_lanes, spread

__all__ = ["save_plain"]

SPEED_MPS = 13.89
LANE_WIDTH_M = 3.2
"""SUMO's own."""
JUNCTION_RADIUS_M = 10.0
HEAD_RADIUS_M = 4.0
"""netconvert's own."""
MOST_HEAD_M = 85.0
PUBLISHED_FROM_M = 120.0
"""Blocks from this size on have the published geometry: heads of a third of the block. Shorter ones
have larger heads, up to the half, and smaller corners: else less than a vehicle is left of them."""


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
    narrow = _narrowing(plan.config.block_size_m)
    for junction in plan.grid.junctions:
        kind = "traffic_light" if junction.id in plan.signalised else "priority"
        yield _node(junction, kind, radius=JUNCTION_RADIUS_M * narrow)
    for street in plan.grid.streets if plan.config.turn_lanes else ():
        tail_lanes, stop_lanes = plan.lanes[street.id], len(plan.stop_lanes[street.id])
        place = _head_start(street, plan.config.block_size_m)
        radius = {"radius": HEAD_RADIUS_M * narrow} if narrow < 1.0 else {}
        yield _node(place, "zipper" if tail_lanes > stop_lanes else "priority", **radius)


def _narrowing(block_size_m: float) -> float:
    """How much smaller the corners of a short block are: what they take, its edges lack."""
    return min(1.0, (block_size_m - 40.0) / (PUBLISHED_FROM_M - 40.0))


def _node(place: Junction, kind: str, **more: float) -> str:
    return _element("node", {"id": place.id, "x": place.x_m, "y": place.y_m, "type": kind, **more})


def _head_start(street: GridStreet, block_size_m: float) -> Junction:
    back_m = max(block_size_m / 3, min(block_size_m / 2, PUBLISHED_FROM_M / 3))
    back_m = min(back_m, MOST_HEAD_M)
    x_m = street.end.x_m - street.heading[0] * back_m
    y_m = street.end.y_m - street.heading[1] * back_m
    return Junction(head_start(street.id), x_m, y_m)


def _edges(plan: CityPlan) -> Iterator[str]:
    for street in plan.grid.streets:
        heads, lanes = plan.heads[street.id], plan.lanes[street.id]
        if plan.config.turn_lanes:
            node = head_start(street.id)
            start = _head_start(street, plan.config.block_size_m)
            yield _edge(street.id, street.start.id, node, lanes)
            for head in heads:
                width = len(plan.stop_lanes[street.id])
                shape = _beside(street, start, head, width)
                more = {"spreadType": "center", "shape": shape}
                yield _edge(head.id, node, street.end.id, len(head.lanes), **more)
        else:
            yield _edge(street.id, street.start.id, street.end.id, lanes)


def _edge(name: str, start: str, end: str, lanes: int, **more: str) -> str:
    attributes = {"id": name, "from": start, "to": end, "numLanes": lanes, "speed": SPEED_MPS}
    return _element("edge", {**attributes, **more})


def _beside(street: GridStreet, start: Junction, head: Head, width: int) -> str:
    """The middle of a head, whose lanes lie where they would in one edge of so many lanes."""
    right_m = LANE_WIDTH_M * (width - head.first - len(head.lanes) / 2)
    x_m, y_m = street.heading[1] * right_m, -street.heading[0] * right_m
    points = [(place.x_m + x_m, place.y_m + y_m) for place in (start, street.end)]
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _connections(plan: CityPlan) -> Iterator[str]:
    for street in plan.grid.streets:
        places = _places(plan.heads[street.id])
        if plan.config.turn_lanes:
            for tail_lane, place in spread(plan.lanes[street.id], range(len(places))):
                yield _connection((street.id, tail_lane), places[place])
        for letter, following in plan.exits[street.id].items():
            leaving = [
                place
                for place, letters in zip(places, plan.stop_lanes[street.id], strict=True)
                if letter in letters
            ]
            targets = receiving_lanes(
                letter,
                from_lanes=len(leaving),
                entering=plan.entering[following.id],
                to_lanes=plan.lanes[following.id],
            )
            for place, lane in spread(len(leaving), targets):
                yield _connection(leaving[place], (following.id, lane))


def _places(heads: Iterable[Head]) -> list[tuple[str, int]]:
    """(edge, lane of it) of each lane at a stop line, from right to left."""
    return [(head.id, lane) for head in heads for lane in range(len(head.lanes))]


def _connection(start: tuple[str, int], end: tuple[str, int]) -> str:
    attributes = {"from": start[0], "to": end[0], "fromLane": start[1], "toLane": end[1]}
    return _element("connection", attributes)
