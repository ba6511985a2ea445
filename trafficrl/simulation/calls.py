"""What a session asks SUMO again and again, whichever way it reaches it."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FrequentCalls", "Readings"]


@dataclass(frozen=True, slots=True)
class Readings:
    """What is asked of each lane, or of each edge, by its id."""

    vehicles: Callable[[str], int]
    queue: Callable[[str], int]
    speed: Callable[[str], float]
    waiting: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class FrequentCalls:
    """What is asked once a step, and once a lane or an edge."""

    step: Callable[[], object]
    arrived: Callable[[], int]
    parameter: Callable[[str, str], str]
    """Of the simulation: object (none) and name -> value."""
    lanes: Readings
    edges: Readings
    detected: Callable[[str], int]
    """Vehicles on a lane-area detector."""
