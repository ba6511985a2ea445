"""One running simulation: the only object that talks to SUMO."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np

from trafficrl.demand.scenario import Scenario
from trafficrl.errors import SimulationError
from trafficrl.simulation.backend import SUMO_ERRORS, close_sumo, start_sumo
from trafficrl.simulation.options import SimulationOptions, sumo_arguments
from trafficrl.simulation.state import FloatArray, Totals

__all__ = ["SumoSession"]


class SumoSession:
    """A simulation from its first second on; a context manager that always closes SUMO.

    Example:
        with SumoSession(scenario, SimulationOptions(step_s=1.0, seed=7)) as session:
            session.step()

    Raises:
        SimulationError: SUMO would not start, or died: with command line, seed and time.
    """

    def __init__(self, scenario: Scenario, options: SimulationOptions) -> None:
        self.scenario = scenario
        self._options = options
        self._arguments = sumo_arguments(scenario, options)
        self._steps = 0
        self._sumo: Any = None
        for file in (scenario.net_file, scenario.route_file):
            if not file.is_file():
                raise SimulationError(f"scenario {scenario.name!r}: no file {file}")
        try:
            self._sumo = start_sumo(options.backend, self._arguments, gui=options.gui)
        except SUMO_ERRORS as error:
            raise self._failure("would not start", error) from error

    def __enter__(self) -> "SumoSession":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def time_s(self) -> float:
        """Simulation time [s]."""
        return self.scenario.begin_s + self._steps * self._options.step_s

    @property
    def step_s(self) -> float:
        """Length of a simulation step [s]."""
        return self._options.step_s

    def step(self) -> None:
        """One simulation step has passed."""
        try:
            self._sumo.simulationStep()
        except SUMO_ERRORS as error:
            raise self._failure("died", error) from error
        self._steps += 1

    def show(self, signal_id: str, state: str) -> None:
        """The signal shows that state (a letter a link) until it is told otherwise."""
        self._sumo.trafficlight.setRedYellowGreenState(signal_id, state)

    def read_shown(self, signal_id: str) -> str:
        """The state that a signal shows (a letter a link)."""
        return str(self._sumo.trafficlight.getRedYellowGreenState(signal_id))

    def read_arrived(self) -> int:
        """Vehicles that arrived in the last step [veh]."""
        return int(self._sumo.simulation.getArrivedNumber())

    def read_running(self) -> int:
        """Vehicles in the network now [veh]."""
        return int(self._count("stats.vehicles.running"))

    def read_backlog(self) -> int:
        """Vehicles that are due but not yet let in [veh]."""
        return int(self._count("stats.vehicles.waiting"))

    def read_totals(self, arrived_veh: int) -> Totals:
        """Counts since the episode began; arrivals are counted by the caller, step by step."""
        return Totals(
            running_veh=self.read_running(),
            backlog_veh=self.read_backlog(),
            arrived_veh=arrived_veh,
            teleports=int(self._count("stats.teleports.total")),
            collisions=int(self._count("stats.safety.collisions")),
            emergency_brakings=int(self._count("stats.safety.emergencyBraking")),
        )

    def read_lanes(self, lane_ids: Sequence[str]) -> FloatArray:
        """(4, L) at this moment: vehicles, queue [veh], mean speed [m/s], waiting time [s]."""
        lane = self._sumo.lane
        return np.array(
            [
                [lane.getLastStepVehicleNumber(name) for name in lane_ids],
                [lane.getLastStepHaltingNumber(name) for name in lane_ids],
                [lane.getLastStepMeanSpeed(name) for name in lane_ids],
                [lane.getWaitingTime(name) for name in lane_ids],
            ],
            dtype=np.float64,
        )

    def close(self) -> None:
        """SUMO has ended; calling it again does nothing."""
        if self._sumo is None:
            return
        simulation, self._sumo = self._sumo, None
        try:
            close_sumo(simulation)
        except SUMO_ERRORS as error:
            raise self._failure("would not close", error) from error

    def _count(self, name: str) -> float:
        return float(self._sumo.simulation.getParameter("", name))

    def _failure(self, what: str, error: BaseException) -> SimulationError:
        reason = " ".join(str(error).split()) or type(error).__name__
        return SimulationError(
            f"SUMO {what} at {self.time_s:g} s in scenario {self.scenario.name!r} "
            f"(seed {self._options.seed}): {reason}; replay with: sumo {' '.join(self._arguments)}"
        )
