"""The only reader and writer of SUMO's .net.xml.

Of a network we know what motor vehicles drive on: lanes for people on foot, bicycles and rails are
left out, with their connections.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from trafficrl.errors import NetworkError
from trafficrl.network.model import Connection, Edge, Junction, Lane
from trafficrl.network.permissions import on_roads, open_to_all
from trafficrl.xmlfiles import XMLFileError, parse_xml

__all__ = ["ParsedNet", "ProgramPhase", "Request", "load_net", "save_programs"]


DRIVEN = (None, "normal", "connector")
"""Functions of edges that lie between junctions."""


@dataclass(frozen=True, slots=True)
class Request:
    """Right of way of one link at its junction, as netconvert found it."""

    junction: str
    index: int
    """Bit of this link in the masks of all links of the junction."""
    foes: int
    """Bit mask of the links whose way crosses or meets this one."""
    response: int
    """Bit mask of the links that this one must yield to."""


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
            _requests(root, ends),
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


def save_programs(raw: Path, file: Path, programs: Mapping[str, Sequence[ProgramPhase]]) -> None:
    """Write raw to file with these programs instead of its own of their ids, and no comment.

    netconvert's comments hold the date and paths: without them one input gives one file.
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
    )


def _program(logic: ET.Element) -> tuple[ProgramPhase, ...]:
    return tuple(
        ProgramPhase(phase.get("name", ""), phase.attrib["state"], float(phase.attrib["duration"]))
        for phase in logic.iterfind("phase")
    )


def _requests(root: ET.Element, connections: Iterable[ET.Element]) -> dict[Connection, Request]:
    """Right of way of signalised connections, found by the lane that each ends on in a junction.

    A network without ways across its junctions does not tell.
    """
    inner = {
        f"{c.attrib['from']}_{c.attrib['fromLane']}": c.get("via")
        for c in root.iterfind("connection")
        if c.attrib["from"].startswith(":")
    }
    by_lane = dict(_junction_requests(root.iterfind("junction")))
    found = {}
    for element in connections:
        lane = element.get("via")
        if element.get("tl") is None or lane is None:
            continue
        while following := inner.get(lane):
            lane = following
        found[_connection(element)] = by_lane[lane]
    return found


def _junction_requests(junctions: Iterable[ET.Element]) -> Iterable[tuple[str, Request]]:
    for junction in junctions:
        lanes = junction.get("intLanes", "").split()
        for row in junction.iterfind("request"):
            index = int(row.attrib["index"])
            masks = (int(row.attrib[name], 2) for name in ("foes", "response"))
            yield lanes[index], Request(junction.attrib["id"], index, *masks)
