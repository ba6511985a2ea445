"""What one picture of a film shows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trafficrl.simulation.state import FloatArray

__all__ = ["DRIVING_MPS", "STANDING_MPS", "Frame"]

STANDING_MPS = 0.1
"""Slower vehicles stand, as in every queue here [m/s]."""
DRIVING_MPS = 5.0
"""Slower ones are told apart from those that drive freely [m/s]."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The traffic at one moment."""

    elapsed_s: float
    """Since the episode began [s]."""
    time_s: float
    """Simulation time [s]."""
    vehicles: FloatArray  # (5, V) as `Sights.vehicles` has them
    shown: Mapping[str, str]
    """Signal id -> the state that it shows, a letter a link."""
    backlog_veh: int
    """Due to depart, but not yet let in."""

    @property
    def running_veh(self) -> int:
        """In the network."""
        return len(self.vehicles[0])

    @property
    def standing_veh(self) -> int:
        """Of those, slower than 0.1 m/s."""
        return int(np.count_nonzero(self.vehicles[2] < STANDING_MPS))
