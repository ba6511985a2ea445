"""A given demand is driven once, roughly, before anything is trained or judged on it.

What SUMO quits on shows only when the vehicle is read, or departs: a stop on an unknown lane, a
destination that its class cannot reach, a speed that it cannot drive. SUMO's mesoscopic model holds
demand to the same checks but moves queues instead of vehicles, so it is through in seconds; signals
do not count there, and a vehicle that finds no room is dropped, which changes no check.

Not the same there, so not found: a lane number that an edge does not have, and one id for two
vehicles that are never there together (`trafficrl.demand.route_files` sees to both).
"""

import os
import subprocess
from pathlib import Path

import sumo

from trafficrl.config.simulation import SimulationConfig
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import DemandError
from trafficrl.simulation.options import SimulationOptions, check_file, sumo_arguments

__all__ = ["rehearse"]

DECIDING = ("ignore-route-errors", "junction-taz", "xml-validation", "xml-validation.routes")
"""Options that decide which demand SUMO takes; others may not go with the mesoscopic model."""
SEED = 1


def rehearse(scenario: Scenario, config: SimulationConfig, *, step_s: float) -> None:
    """Return when SUMO takes the demand of the scenario to its end.

    Args:
        scenario: what is to drive.
        config: how SUMO simulates it.
        step_s: length of a simulation step [s].

    Raises:
        DemandError: SUMO quits on it, in SUMO's words.
        SimulationError: a file is missing, or has a name that SUMO cannot be given.
    """
    given = (*scenario.route_files, *scenario.additional_files)
    for file in (scenario.net_file, *given):
        check_file(file, scenario.name)
    chosen = {name: config.options[name] for name in DECIDING if name in config.options}
    options = SimulationOptions(step_s, SEED, simulation=SimulationConfig(options=chosen))
    arguments = [
        *sumo_arguments(scenario, options),
        *("--mesosim", "true", "--max-depart-delay", "0"),
    ]
    program = Path(sumo.SUMO_HOME) / "bin" / "sumo"
    done = subprocess.run(
        [str(program), *arguments],
        env={**os.environ, "SUMO_HOME": sumo.SUMO_HOME},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line.removeprefix("Error: ") for line in done.stderr.splitlines() if line.strip()]
        reason = lines[0].strip() if lines else f"it ended with code {done.returncode}"
        raise DemandError(f"SUMO would quit on {', '.join(file.name for file in given)}: {reason}")
