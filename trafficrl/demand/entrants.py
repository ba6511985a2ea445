"""Vehicles that are due, one by one: what SUMO finds out only when they enter, or meet.

Two of one id end a simulation only if the second comes while the first is there, and a lane that
an edge does not have only when its vehicle departs: minutes or hours into an episode.
"""

from xml.etree.ElementTree import Element

from trafficrl.errors import DemandError
from trafficrl.network.model import Network

__all__ = ["Entrants"]


class Entrants:
    """The vehicles and flows that are due so far."""

    def __init__(self, network: Network) -> None:
        # Not by position: lanes that no motor vehicle may use are counted by SUMO, and left out.
        self._last_lane = [
            max(int(lane.id.rpartition("_")[2]) for lane in edge.lanes) for edge in network.edges
        ]
        self._vehicles: set[str] = set()
        self._flows: set[str] = set()

    def take(self, element: Element, from_edge: int) -> None:
        """It is one of them from now on.

        Args:
            element: a vehicle, trip or flow.
            from_edge: index of the edge on which it departs; -1: not known.

        Raises:
            DemandError: another one has its id, or the edge has no such lane.
        """
        known = self._flows if element.tag == "flow" else self._vehicles
        name = element.get("id", "")
        if name in known:
            raise DemandError("another one has the same id")
        known.add(name)
        lane = element.get("departLane", "")
        if lane.isdecimal() and from_edge >= 0 and int(lane) > self._last_lane[from_edge]:
            raise DemandError(
                f"departLane={lane!r}: the edge on which it departs has the lanes 0 to "
                f"{self._last_lane[from_edge]}"
            )
