"""One running simulation: the only object that talks to SUMO."""

import shlex
from collections.abc import Sequence
from itertools import compress
from types import TracebackType

import numpy as np

from trafficrl.config.execution import Simulator
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import SimulationError
from trafficrl.simulation.backend import SUMO_ERRORS, RunningSumo, start_sumo
from trafficrl.simulation.calls import Readings
from trafficrl.simulation.options import SimulationOptions, check_file, sumo_arguments
from trafficrl.simulation.sights import Sights
from trafficrl.simulation.state import FloatArray, Totals
from trafficrl.simulation.watch import Watch

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
        self._sumo: RunningSumo | None = None
        self._died = False
        self._asking = Watch(self.failed, "failed")
        self._stepping = Watch(self.failed, "died")
        for file in (scenario.net_file, *scenario.route_files, *scenario.additional_files):
            check_file(file, scenario.name)
        with Watch(self.failed, "would not start"):
            self._sumo = start_sumo(options.backend, self._arguments, gui=options.gui)

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
    def command(self) -> str:
        """What would run the same simulation in a shell, but for what was commanded on the way."""
        return shlex.join(["sumo", *self._arguments])

    @property
    def time_s(self) -> float:
        """Simulation time [s]."""
        return self.scenario.begin_s + self.elapsed_s

    @property
    def elapsed_s(self) -> float:
        """Simulated since the episode began [s]."""
        return self._steps * self._options.step_s

    @property
    def step_s(self) -> float:
        """Length of a simulation step [s]."""
        return self._options.step_s

    @property
    def simulator(self) -> Simulator:
        """SUMO's model."""
        return self._options.simulator

    def step(self) -> None:
        """One simulation step has passed."""
        with self._stepping:
            self._running.calls.step()
        self._steps += 1

    def show(self, signal_id: str, state: str) -> None:
        """The signal shows that state (a letter a link) until it is told otherwise."""
        with self._asking:
            self._running.api.trafficlight.setRedYellowGreenState(signal_id, state)

    def read_shown(self, signal_id: str) -> str:
        """The state that a signal shows (a letter a link)."""
        with self._asking:
            return str(self._running.api.trafficlight.getRedYellowGreenState(signal_id))

    def read_plan(self, signal_id: str) -> list[tuple[float, str]]:
        """The states of a signal's own program from now on: (begins in [s], state), soonest first.

        The first is shown now and began in the past; the list covers one cycle.
        """
        with self._asking:
            light = self._running.api.trafficlight
            current = light.getProgram(signal_id)
            now = light.getPhase(signal_id)
            begins_s = -float(light.getSpentDuration(signal_id))
            programs = light.getAllProgramLogics(signal_id)
        parts = next(program.phases for program in programs if program.programID == current)
        plan = []
        for part in (*parts[now:], *parts[:now]):
            plan.append((begins_s, str(part.state)))
            begins_s += part.duration
        return plan

    def read_arrived(self) -> int:
        """Vehicles that arrived in the last step [veh]."""
        with self._asking:
            return self._running.calls.arrived()

    def read_running(self) -> int:
        """Vehicles in the network now [veh]."""
        with self._asking:
            return self._count("stats.vehicles.running")

    def read_totals(self, arrived_veh: int) -> Totals:
        """Counts since the episode began; arrivals are counted by the caller, step by step."""
        with self._asking:
            return Totals(
                running_veh=self._count("stats.vehicles.running"),
                backlog_veh=self._count("stats.vehicles.waiting"),
                arrived_veh=arrived_veh,
                expected_veh=int(self._running.api.simulation.getMinExpectedNumber()),
                teleports=self._count("stats.teleports.total"),
                collisions=self._count("stats.safety.collisions"),
                emergency_brakings=self._count("stats.safety.emergencyBraking"),
            )

    def read_flow(self) -> tuple[int, int]:
        """Vehicles that arrived in the last step, and those due but not yet let in [veh]."""
        with self._asking:
            return self._running.calls.arrived(), self._count("stats.vehicles.waiting")

    def read_lanes(self, lane_ids: Sequence[str]) -> FloatArray:
        """(4, L) at this moment: vehicles, queue [veh], mean speed [m/s], waiting time [s].

        All are 0 on an empty lane: it is asked for nothing but its vehicles. In the mesoscopic
        model all lanes are empty.
        """
        return self._read(self._running.calls.lanes, lane_ids)

    def read_edges(self, edge_ids: Sequence[str]) -> FloatArray:
        """(4, E) the same of whole edges; of queue and waiting time see `MesoscopicLanes`."""
        return self._read(self._running.calls.edges, edge_ids)

    def read_detectors(self, detector_ids: Sequence[str]) -> FloatArray:
        """(D,) vehicles on each lane-area detector [veh]."""
        with self._asking:
            counts = list(map(self._running.calls.detected, detector_ids))
        return np.array(counts, np.float64)

    def count_standing(self, edge_ids: Sequence[str]) -> int:
        """Vehicles slower than 0.1 m/s on all these edges, also inside junctions [veh]."""
        with self._asking:
            return sum(map(self._running.calls.edges.queue, edge_ids))

    def read_driven(self) -> dict[str, tuple[str, ...]]:
        """Vehicle in the network now -> the edges of its way, to the one that it is on.

        That is a question for each vehicle: nothing for every decision.
        """
        with self._asking:
            vehicle = self._running.api.vehicle
            return {
                name: tuple(vehicle.getRoute(name)[: vehicle.getRouteIndex(name) + 1])
                for name in vehicle.getIDList()
            }

    def sights(self) -> Sights:
        """What an onlooker sees of it."""
        return Sights(self._running.api, self._asking)

    def _read(self, readings: Readings, ids: Sequence[str]) -> FloatArray:
        rows = np.zeros((4, len(ids)))
        with self._asking:
            vehicles = list(map(readings.vehicles, ids))
            names = list(compress(ids, vehicles))
            values = [
                *filter(None, vehicles),
                *map(readings.queue, names),
                *map(readings.speed, names),
                *map(readings.waiting, names),
            ]
        taken = np.fromiter(compress(range(len(vehicles)), vehicles), np.intp, len(names))
        rows[:, taken] = np.array(values, np.float64).reshape(4, -1)
        return rows

    def close(self) -> None:
        """SUMO has ended; calling it again does nothing."""
        if self._sumo is None:
            return
        running, self._sumo = self._sumo, None
        try:
            running.close()
        except SUMO_ERRORS as error:
            if not self._died:  # otherwise that has been said
                raise self._failure("would not close", str(error)) from error

    @property
    def _running(self) -> RunningSumo:
        assert self._sumo is not None, "the session is closed"
        return self._sumo

    def _count(self, name: str) -> int:
        return int(float(self._running.calls.parameter("", name)))

    def failed(self, what: str, error: BaseException) -> SimulationError:
        """Ours for an error of SUMO."""
        self._died = True
        words = self._sumo.last_words() if self._sumo is not None else ""
        return self._failure(what, words or str(error))

    def _failure(self, what: str, reason: str) -> SimulationError:
        reason = " ".join(reason.split()) or "no reason given"
        return SimulationError(
            f"SUMO {what} at {self.time_s:g} s in scenario {self.scenario.name!r} "
            f"(seed {self._options.seed}): {reason}; "
            f"replay with: {self.command}"
        )
