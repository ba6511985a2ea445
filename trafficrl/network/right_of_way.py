"""Who yields to whom at a signal, as netconvert found it and the net file says."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

__all__ = ["Request", "find_requests"]


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


def find_requests(
    root: ET.Element, connections: Iterable[ET.Element]
) -> Iterator[tuple[ET.Element, Request]]:
    """Right of way of signalised connections, found by the lane that each ends on in a junction.

    A network without ways across its junctions does not tell.
    """
    inner = {
        f"{c.attrib['from']}_{c.attrib['fromLane']}": c.get("via")
        for c in root.iterfind("connection")
        if c.attrib["from"].startswith(":")
    }
    by_lane = dict(_junction_requests(root.iterfind("junction")))
    for element in connections:
        lane = element.get("via")
        if element.get("tl") is None or lane is None:
            continue
        while following := inner.get(lane):
            lane = following
        yield element, by_lane[lane]


def _junction_requests(junctions: Iterable[ET.Element]) -> Iterator[tuple[str, Request]]:
    for junction in junctions:
        lanes = junction.get("intLanes", "").split()
        for row in junction.iterfind("request"):
            index = int(row.attrib["index"])
            masks = (int(row.attrib[name], 2) for name in ("foes", "response"))
            yield lanes[index], Request(junction.attrib["id"], index, *masks)
