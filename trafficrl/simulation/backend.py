"""How SUMO is reached: libsumo in this process, or traci through a socket to its own process."""

import gc
import weakref
from typing import Any, Protocol

import libsumo
from libsumo import _libsumo

from trafficrl.config.execution import Backend
from trafficrl.errors import SimulationError
from trafficrl.simulation.calls import FrequentCalls, Readings
from trafficrl.simulation.heap import FreshHeap
from trafficrl.simulation.traci_process import TRACI_ERRORS, SumoProcess

__all__ = ["SUMO_ERRORS", "RunningSumo", "start_sumo", "sumo_version"]

SUMO_ERRORS = (libsumo.TraCIException, libsumo.FatalTraCIError, *TRACI_ERRORS)
"""What either backend raises when SUMO refuses or dies."""

_libsumo_runs = False


LIBSUMO_CALLS = FrequentCalls(
    step=_libsumo.simulation_step,
    arrived=_libsumo.simulation_getArrivedNumber,
    parameter=_libsumo.simulation_getParameter,
    lanes=Readings(
        vehicles=_libsumo.lane_getLastStepVehicleNumber,
        queue=_libsumo.lane_getLastStepHaltingNumber,
        speed=_libsumo.lane_getLastStepMeanSpeed,
        waiting=_libsumo.lane_getWaitingTime,
    ),
    edges=Readings(
        vehicles=_libsumo.edge_getLastStepVehicleNumber,
        queue=_libsumo.edge_getLastStepHaltingNumber,
        speed=_libsumo.edge_getLastStepMeanSpeed,
        waiting=_libsumo.edge_getWaitingTime,
    ),
    detected=_libsumo.lanearea_getLastStepVehicleNumber,
)
"""The same functions without libsumo's Python around them, which costs as much as they do."""


class RunningSumo(Protocol):
    """A simulation that runs."""

    api: Any
    """libsumo's module or a traci connection: they have one face."""
    calls: FrequentCalls

    def last_words(self) -> str:
        """What SUMO said before it died, beside its exception."""

    def close(self) -> None:
        """The simulation has ended and its output files are complete.

        Raises:
            SUMO_ERRORS: it had died before.
        """


class InProcessSumo:
    """The one simulation that libsumo can hold in this process.

    It ends when it is closed, or forgotten by all who could close it: a notebook easily loses an
    environment.

    It goes the same way whatever has run here before. After others, memory that they have given
    back takes room until the process ends: who runs many does so in forks.

    Raises:
        SimulationError: this process has one already.
        SUMO_ERRORS: SUMO refused its arguments or files.
    """

    def __init__(self, arguments: list[str]) -> None:
        global _libsumo_runs  # noqa: PLW0603 - libsumo itself is one state per process
        if _libsumo_runs:
            gc.collect()  # forgotten environments have circles
        if _libsumo_runs:
            raise SimulationError(
                "libsumo runs one simulation a process: close the environment that has it "
                "(env.close()), or take execution.backend=traci"
            )
        self._heap = FreshHeap()
        try:
            libsumo.start(["sumo", *arguments])
        except libsumo.TraCIException as error:
            self._heap.end()
            if libsumo.isLoaded():
                libsumo.close()  # otherwise half a simulation stays in memory
            if str(error) != "Process Error":
                raise
            # All that libsumo tells of a network it cannot read; the rest goes to the terminal.
            raise libsumo.TraCIException("no such network (SUMO printed why above)") from error
        _libsumo_runs = True
        self._end = weakref.finalize(self, end_libsumo, self._heap)
        self._end.atexit = False  # SUMO ends with the process anyway
        self.api = libsumo
        self.calls = LIBSUMO_CALLS

    def last_words(self) -> str:
        """Nothing: libsumo's exceptions say it all."""
        return ""

    def close(self) -> None:
        """The simulation has ended and another may be started."""
        self._end()


def end_libsumo(heap: FreshHeap) -> None:
    """The one simulation of this process has ended."""
    global _libsumo_runs  # noqa: PLW0603
    _libsumo_runs = False
    try:
        libsumo.close()
    finally:
        heap.end()


def sumo_version() -> str:
    """The version of SUMO that both backends run."""
    return str(libsumo.simulation.getVersion()[1]).removeprefix("SUMO ")


def start_sumo(backend: Backend, arguments: list[str], *, gui: bool = False) -> RunningSumo:
    """A running simulation.

    Raises:
        SimulationError: this process has a libsumo simulation already (it can hold only one).
        SUMO_ERRORS: SUMO refused its arguments or files.
    """
    if backend is Backend.libsumo:
        return InProcessSumo(arguments)
    return SumoProcess(arguments, gui=gui)
