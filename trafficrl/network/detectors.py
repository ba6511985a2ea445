"""Lane-area detectors before the stop lines: SUMO counts who will want the next greens, and when.

A lane tells how many vehicles are on it, not whether they reach its stop line in 3 s or in 20 s.
Detectors on pieces of it do, as a camera above a real approach would. They change nothing in the
traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from trafficrl.network.model import Network
from trafficrl.network.surroundings import Surroundings

__all__ = ["CELLS", "Detector", "place_detectors", "save_detectors"]

CELLS = 2
"""The nearest to the stop line, and the one behind it."""
SHORTEST_M = 0.5
NEVER_S = "1e6"
"""Detectors write means of intervals so long; into no file."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A piece of a lane."""

    id: str
    lane: int
    """Index of its lane in the network."""
    cell: int
    """0 for the nearest to the stop line."""
    begin_m: float
    end_m: float
    """Both from the beginning of the lane [m]."""


def place_detectors(network: Network, cell_m: float) -> tuple[Detector, ...]:
    """One for each cell of each lane that leads to a signal, past junctions without signals.

    Args:
        network: whose signals.
        cell_m: length of a cell [m]; where several lead to one stop line the nearest way counts.
    """
    detectors = []
    around = Surroundings.of(network, CELLS * cell_m)
    for index, end_m in sorted(around.end_m.items()):
        lane = network.lanes[index]
        for cell in range(CELLS):
            # The stop line lies at end_m behind the end of the lane.
            begin_m = max(lane.length_m + end_m - (cell + 1) * cell_m, 0.0)
            stop_m = min(lane.length_m + end_m - cell * cell_m, lane.length_m)
            if stop_m - begin_m >= SHORTEST_M:
                name = f"trafficrl:{cell_m:g}:{cell}:{lane.id}"
                detectors.append(Detector(name, index, cell, begin_m, stop_m))
    return tuple(detectors)


def save_detectors(detectors: Sequence[Detector], network: Network, file: Path) -> None:
    """The file is an additional file of SUMO with all of them."""
    root = ET.Element("additional")
    for detector in detectors:
        values = {
            "id": detector.id,
            "lane": network.lanes[detector.lane].id,
            "pos": f"{detector.begin_m:.2f}",
            "endPos": f"{detector.end_m:.2f}",
            "friendlyPos": "true",  # what was rounded may lie a little behind the end
            "period": NEVER_S,
            "file": "NUL",
        }
        ET.SubElement(root, "laneAreaDetector", values)
    ET.indent(root, "    ")
    file.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
