"""The command line of one simulation."""

from dataclasses import dataclass
from pathlib import Path

from trafficrl.config.execution import Backend
from trafficrl.demand.scenario import Scenario

__all__ = ["SimulationOptions", "sumo_arguments"]


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What a simulation needs beside its scenario."""

    step_s: float
    seed: int
    backend: Backend = Backend.libsumo
    gui: bool = False
    output_dir: Path | None = None
    """Where trips and statistics are written for an evaluation; nothing is written without it."""


def sumo_arguments(scenario: Scenario, options: SimulationOptions) -> list[str]:
    """All of SUMO's arguments, without the name of the program."""
    arguments = [
        *("--net-file", str(scenario.net_file)),
        *("--route-files", str(scenario.route_file)),
        *("--begin", str(scenario.begin_s)),
        *("--end", str(scenario.end_s)),
        *("--step-length", str(options.step_s)),
        *("--seed", str(options.seed)),
        *("--no-step-log", "true"),
        *("--no-warnings", "true"),
        *("--duration-log.disable", "true"),
        *scenario.options,
    ]
    if options.output_dir is not None:
        arguments += [
            *("--tripinfo-output", str(options.output_dir / "tripinfo.xml")),
            *("--tripinfo-output.write-unfinished", "true"),
            *("--tripinfo-output.write-undeparted", "true"),
            *("--statistic-output", str(options.output_dir / "statistics.xml")),
        ]
    if options.gui:
        arguments += ["--start", "true", "--quit-on-end", "true"]
    return arguments
