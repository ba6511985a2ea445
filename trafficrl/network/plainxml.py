"""The city as netconvert's plain XML: nodes, edges with turn lanes at the stop line, connections.

Each street is two edges: the tail (named as the street) up to a node of its own, then the head with
the turn lanes up to the stop line; or the tail alone where streets have no turn lanes.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from trafficrl.network.grid import GridStreet
from trafficrl.network.model import Junction
from trafficrl.network.street_plan import CityPlan, head_id
from trafficrl.network.turn_lanes import receiving_lanes, spread

__all__ = ["save_plain"]

SPEED_MPS = 13.89
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
        # Where no lane is gained or lost netconvert needs no room, unless it is told a radius.
        tight = narrow < 1.0 and tail_lanes != stop_lanes
        radius = {"radius": HEAD_RADIUS_M * narrow} if tight else {}
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
    return Junction(head_id(street.id), x_m, y_m)


def _edges(plan: CityPlan) -> Iterator[str]:
    for street in plan.grid.streets:
        if plan.config.turn_lanes:
            head = head_id(street.id)
            yield _edge(street.id, street.start.id, head, plan.lanes[street.id])
            yield _edge(head, head, street.end.id, len(plan.stop_lanes[street.id]))
        else:
            yield _edge(street.id, street.start.id, street.end.id, plan.lanes[street.id])


def _edge(name: str, start: str, end: str, lanes: int) -> str:
    attributes = {"id": name, "from": start, "to": end, "numLanes": lanes, "speed": SPEED_MPS}
    return _element("edge", attributes)


def _connections(plan: CityPlan) -> Iterator[str]:
    for street in plan.grid.streets:
        lanes = plan.stop_lanes[street.id]
        if plan.config.turn_lanes:
            for pair in spread(plan.lanes[street.id], range(len(lanes))):
                yield _connection(street.id, head_id(street.id), *pair)
        for letter, following in plan.exits[street.id].items():
            places = [lane for lane, letters in enumerate(lanes) if letter in letters]
            targets = receiving_lanes(
                letter,
                from_lanes=len(places),
                entering=plan.entering[following.id],
                to_lanes=plan.lanes[following.id],
            )
            for place, lane in spread(len(places), targets):
                yield _connection(plan.stop_edge(street.id), following.id, places[place], lane)


def _connection(start: str, end: str, start_lane: int, end_lane: int) -> str:
    attributes = {"from": start, "to": end, "fromLane": start_lane, "toLane": end_lane}
    return _element("connection", attributes)
