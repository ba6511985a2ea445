"""What an onlooker sees of a simulation: nothing that any controller is told.

Shapes: V vehicles in the network at the moment.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from traci import constants

from trafficrl.simulation.state import FloatArray
from trafficrl.simulation.watch import Watch

__all__ = ["Sights", "has_display"]

SEEN = (constants.VAR_POSITION, constants.VAR_SPEED, constants.VAR_ANGLE, constants.VAR_LENGTH)
EVERYWHERE_M = 1e7
WINDOW = "View #0"
"""SUMO's own name for its first window."""


class Sights:
    """The vehicles of one session, and its window where it has one.

    Args:
        api: libsumo's module or a traci connection.
        asking: errors of SUMO are watched for while it is entered.
    """

    def __init__(self, api: Any, asking: Watch) -> None:
        self._api = api
        self._asking = asking
        self._place = ""

    def vehicles(self) -> FloatArray:
        """(5, V) of each vehicle in the network now: x and y of its front [m], speed [m/s], heading
        [degrees clockwise from north], length [m]; by name. The mesoscopic model tells of none.

        From the first call on SUMO gathers that in every step: nothing for a run that nobody sees.
        """
        with self._asking:
            edge = self._api.edge
            if not self._place:
                self._place = edge.getIDList()[0]
                of_vehicles = constants.CMD_GET_VEHICLE_VARIABLE
                edge.subscribeContext(self._place, of_vehicles, EVERYWHERE_M, SEEN)
            found = edge.getContextSubscriptionResults(self._place)
        position, *others = SEEN
        rows = [
            (*values[position], *(values[one] for one in others))
            for _, values in sorted(found.items())
        ]
        return np.array(rows, np.float64).reshape(-1, 5).T

    def save_window(self, file: Path, width_px: int, height_px: int) -> None:
        """The window goes to that file as PNG, as it will be after the next step."""
        with self._asking:
            self._api.gui.screenshot(WINDOW, str(file), width_px, height_px)

    def look_at(self, low_m: tuple[float, float], high_m: tuple[float, float]) -> None:
        """The window shows vehicles as they are, between these corners (x, y)."""
        with self._asking:
            self._api.gui.setSchema(WINDOW, "real world")
            self._api.gui.setBoundary(WINDOW, *low_m, *high_m)


def has_display() -> bool:
    """Whether SUMO's window can be opened here."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))
