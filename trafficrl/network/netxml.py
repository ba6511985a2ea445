"""The only reader and writer of SUMO's .net.xml.

Of a network we know what motor vehicles drive on: lanes for people on foot, bicycles and rails are
left out, with their connections.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree as ET

from trafficrl.errors import NetworkError
from trafficrl.network.model import Connection, Edge, Junction, Lane
from trafficrl.network.permissions import on_roads, open_to_all
from trafficrl.network.right_of_way import Request, find_requests
from trafficrl.xmlfiles import XMLFileError, parse_xml

__all__ = ["ParsedNet", "ProgramPhase", "load_net", "save_programs"]


Turns = Mapping[tuple[str, str], str]
"""(edge, next edge) -> SUMO's letter for the direction."""
DRIVEN = (None, "normal", "connector")
"""Functions of edges that lie between junctions."""


@dataclass(frozen=True, slots=True)
class ProgramPhase:
    """One phase of a tlLogic; its name says what it is for."""

    name: str
    state: str
    duration_s: float


@dataclass(frozen=True)
class ParsedNet:
    """What a net file says, in its order; nothing of the insides of junctions."""

    junctions: tuple[Junction, ...]
    edges: tuple[Edge, ...]
    connections: tuple[Connection, ...]
    requests: Mapping[Connection, Request]
    """Right of way of the connections that a signal controls."""
    programs: Mapping[str, tuple[ProgramPhase, ...]]
    """Signal id -> phases of the program that SUMO begins with: the last one of its id."""

    def turning(self, turns: Turns) -> "ParsedNet":
        """The same with these directions instead of the file's own."""

        def turned(link: Connection) -> Connection:
            ends = link.from_lane.rpartition("_")[0], link.to_lane.rpartition("_")[0]
            return replace(link, direction=turns.get(ends, link.direction))

        return replace(
            self,
            connections=tuple(map(turned, self.connections)),
            requests={turned(link): request for link, request in self.requests.items()},
        )


def load_net(file: Path, *, name: str = "") -> ParsedNet:
    """Junctions, edges, connections and signal programs of a net file.

    Args:
        file: to read.
        name: what errors call it, where the user knows it by another one.

    Raises:
        NetworkError: the file is missing, damaged, declares a document type, or is no network.
    """
    name = name or f"network file {file}"
    root = _parse(file, name)
    try:
        edges = _edges(root)
        lanes = {lane.id for edge in edges for lane in edge.lanes}
        ends = [element for element in root.iterfind("connection") if _joins(element, lanes)]
        _refuse_planless(root, ends)
        junctions = [j for j in root.iterfind("junction") if j.get("type") != "internal"]
        _refuse_twins("junction", (junction.attrib["id"] for junction in junctions))
        return ParsedNet(
            tuple(map(_junction, junctions)),
            edges,
            tuple(map(_connection, ends)),
            {_connection(link): request for link, request in find_requests(root, ends)},
            {
                logic.attrib["id"]: _program(logic)
                for logic in root.iterfind("tlLogic")
                if not logic.get("type", "static").startswith("rail")
            },
        )
    except NetworkError as error:
        raise NetworkError(f"{name} cannot be used: {error}") from error
    except KeyError as error:
        raise NetworkError(f"{name} is damaged: it lacks {error}") from error
    except ValueError as error:
        raise NetworkError(f"{name} is damaged: {error}") from error


def save_programs(
    raw: Path,
    file: Path,
    programs: Mapping[str, Sequence[ProgramPhase]],
    turns: Turns = MappingProxyType({}),
) -> None:
    """Write raw to file with these programs and directions instead of its own, and no comment.

    netconvert's comments hold the date and paths: without them one input gives one file. Where
    edges lie side by side it takes a left turn for half a one, and a u-turn for a left turn.
    """
    root = _parse(raw, f"network file {raw}")
    for name in [name for name in root.attrib if name.startswith("{")]:
        del root.attrib[name]
    for logic in root.iterfind("tlLogic"):
        plan = programs.get(logic.attrib["id"], ())
        for phase in list(logic) if plan else ():
            logic.remove(phase)
        for planned in plan:
            values = {"duration": f"{planned.duration_s:.12g}", "state": planned.state}
            ET.SubElement(logic, "phase", {**values, "name": planned.name})
    for link in root.iterfind("connection"):
        ends = link.attrib["from"], link.attrib["to"]
        link.set("dir", turns.get(ends, link.attrib["dir"]))
    ET.indent(root, "    ")
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    file.write_bytes(text + b"\n")


def _parse(file: Path, name: str) -> ET.Element:
    try:
        root = parse_xml(file)
    except XMLFileError as error:
        raise NetworkError(f"{name} {str(error).removeprefix(f'{file} ')}") from error
    if root.tag != "net":
        raise NetworkError(f"{name} is no SUMO network: its root is not <net>")
    return root


def _edges(root: ET.Element) -> tuple[Edge, ...]:
    """Edges with a lane for motor vehicles; those inside junctions are none of ours."""
    outside = [e for e in root.iterfind("edge") if e.get("function") in DRIVEN]
    if not outside:
        raise NetworkError("it has no edges")
    edges = tuple(edge for element in outside if (edge := _edge(element)).lanes)
    if not edges:
        raise NetworkError("it has no edge for motor vehicles")
    _refuse_twins("edge", (edge.id for edge in edges))
    return edges


def _refuse_twins(what: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).most_common(1):
        if count > 1:
            raise NetworkError(f"it has {count} {what}s of the name {name!r}")


def _refuse_planless(root: ET.Element, connections: Iterable[ET.Element]) -> None:
    """SUMO ends at a signal without a plan, and does not say where."""
    planned = {logic.get("id") for logic in root.iterfind("tlLogic")}
    for connection in connections:
        signal = connection.get("tl")
        if signal is not None and signal not in planned:
            raise NetworkError(f"signal {signal!r} has links but no plan (tlLogic)")


def _joins(connection: ET.Element, lanes: set[str]) -> bool:
    """Both ends are lanes that we know; SUMO's own way across a junction has others."""
    from_lane = f"{connection.attrib['from']}_{connection.get('fromLane')}"
    return from_lane in lanes and f"{connection.get('to')}_{connection.get('toLane')}" in lanes


def _junction(element: ET.Element) -> Junction:
    values = element.attrib
    return Junction(values["id"], float(values["x"]), float(values["y"]))


def _edge(element: ET.Element) -> Edge:
    values = element.attrib
    lanes = element.findall("lane")
    if not lanes:
        raise NetworkError(f"edge {values['id']!r} has no lanes")
    driven = tuple(_lane(lane) for lane in lanes if on_roads(lane.attrib))
    return Edge(values["id"], values["from"], values["to"], driven)


def _lane(element: ET.Element) -> Lane:
    values = element.attrib
    points = [point.split(",") for point in values["shape"].split()]
    shape = tuple((float(point[0]), float(point[1])) for point in points if len(point) > 1)
    if len(shape) < 2:
        raise NetworkError(f"lane {values['id']!r} has no shape")
    length_m, speed_mps = float(values["length"]), float(values["speed"])
    return Lane(values["id"], length_m, speed_mps, shape, open_to_all(values))


def _connection(element: ET.Element) -> Connection:
    values = element.attrib
    return Connection(
        f"{values['from']}_{values['fromLane']}",
        f"{values['to']}_{values['toLane']}",
        values["dir"],
        values.get("tl"),
        int(values.get("linkIndex", -1)),
        values["via"].rpartition("_")[0] if "via" in values else None,
    )


def _program(logic: ET.Element) -> tuple[ProgramPhase, ...]:
    return tuple(
        ProgramPhase(phase.get("name", ""), phase.attrib["state"], float(phase.attrib["duration"]))
        for phase in logic.iterfind("phase")
    )
