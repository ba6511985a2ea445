"""How SUMO is reached: libsumo in this process, or traci through a socket to its own process."""

import itertools
import os
from pathlib import Path
from typing import Any

import libsumo
import sumo
import traci

from trafficrl.config.execution import Backend

__all__ = ["SUMO_ERRORS", "close_sumo", "start_sumo", "sumo_version"]

SUMO_ERRORS = (
    libsumo.TraCIException,
    libsumo.FatalTraCIError,
    traci.exceptions.TraCIException,
    traci.exceptions.FatalTraCIError,
    OSError,
)
"""What either backend raises when SUMO refuses or dies."""

_labels = itertools.count()
_libsumo_runs = False


def sumo_version() -> str:
    """The version of SUMO that both backends run."""
    return str(libsumo.simulation.getVersion()[1]).removeprefix("SUMO ")


def start_sumo(backend: Backend, arguments: list[str], *, gui: bool = False) -> Any:
    """A running simulation, as libsumo's module or as a traci connection (they have one face).

    Raises:
        RuntimeError: this process has a libsumo simulation already (it can hold only one).
        SUMO_ERRORS: SUMO refused its arguments or files.
    """
    global _libsumo_runs  # noqa: PLW0603 - libsumo itself is one state per process
    if backend is Backend.libsumo:
        if _libsumo_runs:
            raise RuntimeError("libsumo runs one simulation a process: close it, or use traci")
        libsumo.start(["sumo", *arguments])
        _libsumo_runs = True
        return libsumo
    program = Path(sumo.SUMO_HOME) / "bin" / ("sumo-gui" if gui else "sumo")
    label = f"trafficrl-{os.getpid()}-{next(_labels)}"
    traci.start([str(program), *arguments], label=label, numRetries=20, verbose=False)
    return traci.getConnection(label)


def close_sumo(simulation: Any) -> None:
    """The simulation has ended and its output files are complete."""
    global _libsumo_runs  # noqa: PLW0603
    if simulation is libsumo:
        _libsumo_runs = False
    simulation.close()
