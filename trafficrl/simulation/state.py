"""What is known of the traffic at a decision: frozen arrays, read once.

Shapes: L lanes (order of `Network.lanes`), E edges, S signals (order of `Network.signals`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "IntArray", "Lanes", "Totals", "TrafficState"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lanes:
    """Traffic by lane, at one moment or as the mean over an interval."""

    vehicles_veh: FloatArray  # (L,) on the lane [veh]
    queue_veh: FloatArray  # (L,) slower than 0.1 m/s [veh]
    speed_mps: FloatArray  # (L,) mean over the vehicles; the limit when empty [m/s]
    waiting_s: FloatArray  # (L,) summed over the vehicles: time since each last moved [s]
    delayed_veh: FloatArray  # (L,) vehicles * (1 - speed / limit): delay gathered per second [veh]


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over the whole network since the episode began, and what is on the way now."""

    running_veh: int
    """In the network now."""
    backlog_veh: int
    """Due to depart, but not yet let in."""
    arrived_veh: int
    expected_veh: int
    """Running, waiting to enter, or still to come: 0 when the demand has been served. At least
    so many; flows count until they end."""
    teleports: int
    collisions: int
    emergency_brakings: int

    @property
    def scheduled_veh(self) -> int:
        """Due to depart so far."""
        return self.arrived_veh + self.running_veh + self.backlog_veh


@dataclass(frozen=True, slots=True)
class TrafficState:
    """The traffic at a decision, and what happened since the decision before."""

    time_s: float
    """Simulation time [s]."""
    elapsed_s: float
    """Since the episode began [s]."""
    interval_s: float
    """Since the decision before [s]; 0 at the start of an episode."""
    now: Lanes
    mean: Lanes
    """Over the interval."""
    edge_speeds_mps: Callable[[], FloatArray]  # (2, E) means over the interval's readings [m/s]
    """Reckoned when somebody asks, which few do. First, of what the vehicles on an edge drove on
    average at each reading, however many there were; the limit where there was none. That was
    SUMO's own mean speed of an edge up to 1.12. Second, SUMO's own since 1.13: the same, and where
    one lane is empty and another is not, the empty one counts as one vehicle at the limit."""
    totals: Totals
    arrived_veh: int
    """In the interval."""
    mean_backlog_veh: float
    """Over the interval."""
    phase: IntArray  # (S,) green phase, or the one that the clearance leads to
    phase_age_s: FloatArray  # (S,) how long it has been green; negative during clearance [s]
    cells_veh: Mapping[float, FloatArray] = field(default_factory=dict)
    """Length of a cell [m] -> (C, L) vehicles by cell and lane: within one length of the stop line
    ahead, in the next, ... For the lengths that somebody has asked for when the episode began."""
