"""The only reader and writer of SUMO's .net.xml.

Reading runs nothing and expands nothing: a document type or an entity is refused before anything
else of the file counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

from trafficrl.errors import NetworkError
from trafficrl.network.model import Connection, Edge, Junction, Lane

__all__ = ["ParsedNet", "ProgramPhase", "Request", "load_net", "save_programs"]


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
    """Signal id -> phases of its first program."""


class _PlainTree(ET.TreeBuilder):
    """A tree of a file that declares no document type, hence no entities either."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise NetworkError(f"a document type ({name}) is not allowed in a network file")


def load_net(file: Path) -> ParsedNet:
    """Junctions, edges, connections and signal programs of a net file.

    Raises:
        NetworkError: the file is missing, damaged, declares a document type, or is no network.
    """
    root = _parse(file)
    try:
        edges = tuple(_edge(e) for e in root.iterfind("edge") if e.get("function") != "internal")
        if not edges:
            raise NetworkError("it has no edges")
        connections = tuple(
            _connection(element)
            for element in root.iterfind("connection")
            if not element.attrib["from"].startswith(":")
        )
        return ParsedNet(
            tuple(_junction(j) for j in root.iterfind("junction") if j.get("type") != "internal"),
            edges,
            connections,
            _requests(root),
            {logic.attrib["id"]: _program(logic) for logic in reversed(root.findall("tlLogic"))},
        )
    except NetworkError as error:
        raise NetworkError(f"network file {file} cannot be used: {error}") from error
    except KeyError as error:
        raise NetworkError(f"network file {file} is damaged: it lacks {error}") from error
    except ValueError as error:
        raise NetworkError(f"network file {file} is damaged: {error}") from error


def save_programs(raw: Path, file: Path, programs: Mapping[str, Sequence[ProgramPhase]]) -> None:
    """Write raw to file with these programs instead of its own, and without any comment.

    netconvert's comments hold the date and paths: without them one input gives one file.
    """
    root = _parse(raw)
    for name in [name for name in root.attrib if name.startswith("{")]:
        del root.attrib[name]
    for logic in root.iterfind("tlLogic"):
        for phase in list(logic):
            logic.remove(phase)
        for planned in programs[logic.attrib["id"]]:
            values = {"duration": f"{planned.duration_s:.12g}", "state": planned.state}
            ET.SubElement(logic, "phase", {**values, "name": planned.name})
    ET.indent(root, "    ")
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    file.write_bytes(text + b"\n")


def _parse(file: Path) -> ET.Element:
    # _PlainTree refuses what would make an XML parser unsafe.
    parser = ET.XMLParser(target=_PlainTree())  # noqa: S314
    try:
        parser.feed(file.read_bytes())
        root = parser.close()
    except OSError as error:
        raise NetworkError(f"network file {file} cannot be read: {error.strerror}") from error
    except ET.ParseError as error:
        raise NetworkError(f"network file {file} is damaged: {error}") from error
    except NetworkError as error:
        raise NetworkError(f"network file {file} is refused: {error}") from error
    if not isinstance(root, ET.Element) or root.tag != "net":
        raise NetworkError(f"network file {file} is no SUMO network: its root is not <net>")
    return root


def _junction(element: ET.Element) -> Junction:
    values = element.attrib
    return Junction(values["id"], float(values["x"]), float(values["y"]))


def _edge(element: ET.Element) -> Edge:
    values = element.attrib
    lanes = tuple(_lane(lane) for lane in element.iterfind("lane"))
    if not lanes:
        raise NetworkError(f"edge {values['id']!r} has no lanes")
    return Edge(values["id"], values["from"], values["to"], lanes)


def _lane(element: ET.Element) -> Lane:
    values = element.attrib
    points = [point.split(",") for point in values["shape"].split()]
    shape = tuple((float(point[0]), float(point[1])) for point in points if len(point) > 1)
    if len(shape) < 2:
        raise NetworkError(f"lane {values['id']!r} has no shape")
    return Lane(values["id"], float(values["length"]), float(values["speed"]), shape)


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


def _requests(root: ET.Element) -> dict[Connection, Request]:
    """Right of way of signalised connections, found by the lane that each ends on in a junction."""
    inner = {
        f"{c.attrib['from']}_{c.attrib['fromLane']}": c.get("via")
        for c in root.iterfind("connection")
        if c.attrib["from"].startswith(":")
    }
    by_lane = dict(_junction_requests(root.iterfind("junction")))
    found = {}
    for element in root.iterfind("connection"):
        if element.get("tl") is None or element.attrib["from"].startswith(":"):
            continue
        lane = element.attrib["via"]
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
