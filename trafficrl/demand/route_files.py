"""Route files that somebody else wrote: who of them departs when, from where, to where.

SUMO reads the same files again when it simulates them. What is read here is how many vehicles a
scenario has, which every metric is a mean over, and what is wrong with them that SUMO would keep to
itself or say late. What else SUMO would quit on is told by `trafficrl.simulation.rehearsal`.

Shapes: N vehicles that are due.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from trafficrl.demand.entrants import Entrants
from trafficrl.demand.flow_times import Depart, Window, flow_departures, parse_depart
from trafficrl.demand.refused import refuse_foreign
from trafficrl.demand.route_book import DEFAULT_TYPE, Ends, RouteBook
from trafficrl.errors import DemandError
from trafficrl.network.model import Network
from trafficrl.xmlfiles import XMLFileError, iter_xml

__all__ = ["Departures", "read_route_files"]

ROOTS = ("routes", "additional")
BOUNDS = ("begin", "end")


@dataclass(frozen=True)
class Departures:
    """The vehicles that are due from begin_s to before end_s, ordered by departure."""

    begin_s: float
    end_s: float
    depart_s: npt.NDArray[np.float64]  # (N,)
    from_edge: npt.NDArray[np.int64]  # (N,) index into the network's edges; -1: not known
    to_edge: npt.NDArray[np.int64]  # (N,) index into the network's edges; -1: not known
    ways: tuple[tuple[int, ...], ...]  # (N,) edges that are named: a route, or from, via and to
    vehicle_type: npt.NDArray[np.int64]  # (N,) index into type_names
    type_names: tuple[str, ...]
    """As the files name them, in the order in which they are first used."""
    exact: bool
    """False where chance or a passenger decides who departs: N is then what is to be expected."""
    num_others: int
    """Persons and containers, and flows of them: SUMO moves them, nothing here counts them."""

    def __len__(self) -> int:
        return len(self.depart_s)


def read_route_files(
    files: Sequence[Path],
    network: Network,
    *,
    begin_s: float,
    end_s: float,
    step_s: float = 1.0,
    additional: Sequence[Path] = (),
) -> Departures:
    """The vehicles of route files that belong together.

    Args:
        files: in the order in which SUMO is given them.
        network: on which they drive.
        begin_s: when the simulation begins; SUMO skips what departs before.
        end_s: when it ends.
        step_s: its step: of a flow, SUMO makes no vehicle that is due within the last step.
        additional: SUMO's additional files, which may hold types, routes and vehicles as well.

    Raises:
        DemandError: a file is missing, damaged or no route file; a type, route or edge that does
            not exist; a way with a gap; a departure that is missing, or that SUMO would drop; an
            id that two have; a lane that the edge of departure lacks; a signal program or another
            file; or no vehicle is due.
    """
    reader = _Reader(network, Window.of(begin_s, end_s, step_s))
    for file in additional:
        reader.read(file, ordered=False)
    for file in files:
        reader.read(file, ordered=True)
    reader.check_window(", ".join(map(str, files)))
    return reader.departures(begin_s, end_s)


class _Reader:
    """Collects what is due, file by file."""

    def __init__(self, network: Network, window: Window) -> None:
        self._window = window
        self._book = RouteBook(network)
        self._entrants = Entrants(network)
        self._depart_ms: list[int] = []
        self._ends: list[Ends] = []
        self._ways: list[tuple[int, ...]] = []
        self._types: list[int] = []
        self._type_index: dict[str, int] = {}
        self._exact = True
        self._num_others = 0
        self._first_ms: float = np.inf
        self._last_ms: float = -np.inf
        self._ordered = True
        self._latest_ms = 0

    def read(self, file: Path, *, ordered: bool) -> None:
        """The content of a file is part of the demand.

        Args:
            file: a route file, or an additional file.
            ordered: SUMO reads it while it simulates, so its vehicles must stand by departure.
        """
        self._ordered, self._latest_ms = ordered, 0
        try:
            elements = iter_xml(file)
            root = next(elements)
            if ordered and root.tag not in ROOTS:
                raise DemandError(
                    f"it is no route file: its root is <{root.tag}>, not <routes> or <additional>"
                )
            for element in elements:
                refuse_foreign(element)
                self._take(element, {})
        except XMLFileError as error:
            raise DemandError(f"route file {error}") from error
        except DemandError as error:
            raise DemandError(f"route file {file}: {error}") from error

    def check_window(self, names: str) -> None:
        """Return when somebody is due."""
        if self._depart_ms:
            return
        window = f"{self._window.begin_ms / 1000:g} to {self._window.end_ms / 1000:g} s"
        if self._first_ms > self._last_ms:
            raise DemandError(f"route file {names}: it holds no vehicle, trip or flow")
        first_s, last_s = self._first_ms / 1000, self._last_ms / 1000
        raise DemandError(
            f"route file {names}: no vehicle departs within the simulation, {window}; they depart "
            f"from {first_s:g} to {last_s:g} s: set begin_s, to {first_s // 60 * 60:g} for instance"
        )

    def departures(self, begin_s: float, end_s: float) -> Departures:
        """All that is due."""
        depart_ms = np.array(self._depart_ms, dtype=np.int64)
        order = np.argsort(depart_ms, kind="stable")
        ends = np.array(self._ends, dtype=np.int64).reshape(-1, 2)[order]
        return Departures(
            begin_s=begin_s,
            end_s=end_s,
            depart_s=depart_ms[order] / 1000,
            from_edge=ends[:, 0],
            to_edge=ends[:, 1],
            ways=tuple(self._ways[place] for place in order),
            vehicle_type=np.array(self._types, dtype=np.int64)[order],
            type_names=tuple(self._type_index),
            exact=self._exact,
            num_others=self._num_others,
        )

    def _take(self, element: Element, times: Mapping[str, str]) -> None:
        """One element of a file; times are those of the interval around it."""
        tag = element.tag
        if tag == "include":
            raise DemandError(
                f"it includes {element.get('href', '')!r}, which is not supported: "
                "name that file in the list of files instead"
            )
        if tag == "interval":
            inner = {name: element.attrib[name] for name in BOUNDS if name in element.attrib}
            for child in element:
                self._take(child, inner)
            return
        if tag not in TAKEN:
            self._book.define(element)
            return
        try:
            TAKEN[tag](self, element, times)
        except DemandError as error:
            raise DemandError(f"{tag} {element.get('id', '')!r}: {error}") from error

    def _take_vehicle(self, vehicle: Element, times: Mapping[str, str]) -> None:
        depart = self._depart(vehicle.get("depart"))
        due = self._window.holds(depart.ms)
        self._pass(vehicle, depart, depart.ms, due=due)
        ends = self._book.ends(vehicle, due=due)
        if due:
            self._add(vehicle, ends, [depart.ms])
        self._exact &= depart.given

    def _take_flow(self, flow: Element, times: Mapping[str, str]) -> None:
        found = flow_departures({**times, **flow.attrib}, self._window)
        due_ms = found.due_ms.tolist()
        self._pass(flow, found.begin, found.last_ms, due=bool(due_ms))
        ends = self._book.ends(flow, due=bool(due_ms))
        if due_ms:
            self._add(flow, ends, due_ms)
            self._exact &= found.exact

    def _take_other(self, other: Element, times: Mapping[str, str]) -> None:
        """Nobody who drives, but SUMO holds it to the same order."""
        depart = self._depart(other.get("depart", other.get("begin", times.get("begin", "begin"))))
        self._num_others += 1
        self._keep_order(other, depart)

    def _depart(self, text: str | None) -> Depart:
        if text is None:
            raise DemandError("it has no depart")
        depart = parse_depart(text, self._window)
        if depart is None:
            raise DemandError(f"depart={text!r} is no time [s, or h:mm:ss]")
        return depart

    def _pass(self, element: Element, depart: Depart, last_ms: int, *, due: bool) -> None:
        """SUMO keeps the element that it has read, or would drop nobody who is due."""
        self._first_ms = min(self._first_ms, depart.ms)
        self._last_ms = max(self._last_ms, last_ms)
        latest_s = self._latest_ms / 1000
        if not self._keep_order(element, depart) and due:
            raise DemandError(
                f"it departs at {depart.ms / 1000:g} s and stands behind one that departs at "
                f"{latest_s:g} s: SUMO would drop it; sort the file by departure"
            )

    def _keep_order(self, element: Element, depart: Depart) -> bool:
        """False where SUMO drops the element; what has a line may stand before its time."""
        if not (self._ordered and depart.given):
            return True
        if depart.ms < self._latest_ms:
            return False
        if "line" not in element.attrib:
            self._latest_ms = depart.ms
        return True

    def _add(self, element: Element, ends: Ends, due_ms: list[int]) -> None:
        self._entrants.take(element, ends.from_edge)
        kind = element.get("type", DEFAULT_TYPE)
        self._depart_ms += due_ms
        self._ends += [ends] * len(due_ms)
        self._ways += [self._book.way(element)] * len(due_ms)
        self._types += [self._type_index.setdefault(kind, len(self._type_index))] * len(due_ms)


TAKEN: dict[str, Callable[[_Reader, Element, Mapping[str, str]], None]] = {
    "vehicle": _Reader._take_vehicle,
    "trip": _Reader._take_vehicle,
    "flow": _Reader._take_flow,
    **dict.fromkeys(("person", "personFlow", "container", "containerFlow"), _Reader._take_other),
}
"""Element of a route file -> what it adds to the demand."""
