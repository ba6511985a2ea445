"""One reading of all lanes, whichever of SUMO's models is run.

Shapes: L lanes (order of `Network.lanes`), E edges (order of `Network.edges`).
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from trafficrl.config.execution import Simulator
from trafficrl.network.model import Network
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import FloatArray

__all__ = ["MesoscopicLanes", "lane_readings"]


def lane_readings(session: SumoSession, network: Network) -> Callable[[], FloatArray]:
    """Reads (4, L) at the moment: vehicles, queue [veh], mean speed [m/s], waiting time [s]."""
    if session.simulator is Simulator.meso:
        return MesoscopicLanes(session, network)
    return partial(session.read_lanes, [lane.id for lane in network.lanes])


class MesoscopicLanes:
    """Lanes of a model that has none: each has its even share of what is on its edge.

    Generated cities have an edge of its own for each turn at a stop line, so there this is exact by
    movement. On other networks the lanes of an edge look alike, whoever waits on them.

    SUMO counts as halting, and asks how long it waits, only the first vehicle of each queue: behind
    it none has a speed before it can move (of 256 vehicles before red lights it counts 69). But the
    mean speed of an edge falls with the time that its vehicles have been there. So the queue is
    taken as the delay that they gather in a second, vehicles * (1 - speed / limit), and each of it
    to wait as long as the first ones do: a fifth too long where a queue has grown evenly.
    """

    def __init__(self, session: SumoSession, network: Network) -> None:
        self._session = session
        self._edge_ids = [edge.id for edge in network.edges]
        self._limit_mps = np.array([edge.speed_mps for edge in network.edges])
        lanes = [len(edge.lanes) for edge in network.edges]
        self._edge_of_lane = np.repeat(np.arange(len(lanes)), lanes)  # (L,)
        self._lanes = np.array(lanes, dtype=np.float64)

    def __call__(self) -> FloatArray:
        """(4, L): vehicles, queue [veh], mean speed [m/s], waiting time [s]."""
        vehicles, first, speed, first_waiting = self._session.read_edges(self._edge_ids)
        queue = vehicles * np.maximum(1.0 - speed / self._limit_mps, 0.0)
        waiting = queue * first_waiting / np.maximum(first, 1.0)
        share = self._lanes
        edges = np.array((vehicles / share, queue / share, speed, waiting / share))
        lanes: FloatArray = edges[:, self._edge_of_lane]
        return lanes
