"""What a session asks SUMO again and again, whichever way it reaches it."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FrequentCalls"]


@dataclass(frozen=True, slots=True)
class FrequentCalls:
    """What is asked once a step, or once a lane."""

    step: Callable[[], object]
    arrived: Callable[[], int]
    parameter: Callable[[str, str], str]
    """Of the simulation: object (none) and name -> value."""
    lane_vehicles: Callable[[str], int]
    lane_queue: Callable[[str], int]
    lane_speed: Callable[[str], float]
    lane_waiting: Callable[[str], float]
