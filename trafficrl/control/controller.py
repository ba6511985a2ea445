"""What every controller is, learned or classical: a state in, a command out."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from trafficrl.control.commands import Command
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import ConfigError
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import TrafficState

__all__ = ["Controller", "SeesCells", "cells_seen", "check_whole_steps"]


class Controller(Protocol):
    """Decides for all signals; never asks SUMO itself."""

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """A new episode begins: nothing is remembered of the one before.

        Args:
            scenario: what is to drive, before SUMO has started.
            seed: of the episode; all chance in decisions comes from it.

        Returns:
            Programs that signals run until the first command but `FollowPlan`; signals without
            one run that of their network.
        """

    def decide(self, state: TrafficState) -> Command:
        """What the signals do from now until the next decision."""


@runtime_checkable
class SeesCells(Protocol):
    """What looks at `TrafficState.cells_veh`."""

    @property
    def cells_m(self) -> frozenset[float]:
        """The lengths of cells that it looks at [m]."""


def cells_seen(*watchers: object) -> frozenset[float]:
    """The lengths of cells that any of these looks at [m]."""
    return frozenset().union(*(one.cells_m for one in watchers if isinstance(one, SeesCells)))


def check_whole_steps(name: str, duration_s: float, step_s: float) -> None:
    """Return when a parameter of a controller is a whole number of simulation steps.

    Raises:
        ConfigError: it is not.
    """
    if abs(duration_s / step_s - round(duration_s / step_s)) > 1e-9:
        raise ConfigError(
            f"controller.*.{name} must be a multiple of network.step_length {step_s:g} [s], "
            f"got {duration_s:g}"
        )
