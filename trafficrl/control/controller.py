"""What every controller is, learned or classical: a state in, a command out."""

from typing import Protocol

from trafficrl.control.commands import Command
from trafficrl.simulation.state import TrafficState

__all__ = ["Controller"]


class Controller(Protocol):
    """Decides for all signals; never asks SUMO itself."""

    def reset(self) -> None:
        """A new episode begins: nothing is remembered of the one before."""

    def decide(self, state: TrafficState) -> Command:
        """What the signals do from now until the next decision."""
