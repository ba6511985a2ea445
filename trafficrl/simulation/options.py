"""The command line of one simulation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trafficrl.config.execution import Backend, Simulator
from trafficrl.config.simulation import SimulationConfig
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import SimulationError

__all__ = ["MESOSCOPIC", "SimulationOptions", "check_file", "option_set", "sumo_arguments"]


MESOSCOPIC = ("--mesosim", "true", "--meso-junction-control", "true")
"""Without control of junctions signals hold nobody. (Queues by lane would be nearer to the
microscopic model; SUMO 1.28 dies of them where junctions have inner lanes.)"""


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What a simulation needs beside its scenario."""

    step_s: float
    seed: int
    backend: Backend = Backend.libsumo
    gui: bool = False
    simulator: Simulator = Simulator.micro
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    output_dir: Path | None = None
    """Where trips and statistics are written for an evaluation; nothing is written without it."""
    emissions: bool = False
    """The trips hold what SUMO's emission model gives for each vehicle."""


def sumo_arguments(scenario: Scenario, options: SimulationOptions) -> list[str]:
    """All of SUMO's arguments, without the name of the program."""
    arguments = [
        *("--net-file", str(scenario.net_file)),
        *("--route-files", _comma_separated(scenario.route_files)),
        *("--begin", str(scenario.begin_s)),
        *("--end", str(scenario.end_s)),
        *("--seed", str(options.seed)),
        *("--no-step-log", "true"),
        *("--no-warnings", "true"),
        *("--duration-log.disable", "true"),
        *option_set(options.step_s, options.simulation, options.simulator),
    ]
    if scenario.additional_files:
        arguments += ["--additional-files", _comma_separated(scenario.additional_files)]
    if options.output_dir is not None:
        arguments += [
            *("--tripinfo-output", str(options.output_dir / "tripinfo.xml")),
            *("--tripinfo-output.write-unfinished", "true"),
            *("--tripinfo-output.write-undeparted", "true"),
            *("--statistic-output", str(options.output_dir / "statistics.xml")),
        ]
    if options.emissions:
        arguments += ["--device.emissions.probability", "1"]
    if options.gui:
        arguments += ["--start", "true", "--quit-on-end", "true"]
    return arguments


def option_set(
    step_s: float, config: SimulationConfig, simulator: Simulator = Simulator.micro
) -> tuple[str, ...]:
    """What decides an episode beside network, demand and seed: results of two are not comparable.

    Args:
        step_s: length of a simulation step [s].
        config: all else.
        simulator: SUMO's model.
    """
    model = MESOSCOPIC if simulator is Simulator.meso else ()
    return ("--step-length", str(step_s), *model, *_more(config))


def check_file(file: Path, scenario: str) -> None:
    """SUMO can be given that file.

    Raises:
        SimulationError: it is missing, or SUMO would take its path for something else.
    """
    if not file.is_file():
        raise SimulationError(f"scenario {scenario!r}: no file {file}")
    if "," in str(file) or "${" in str(file):
        raise SimulationError(
            f"scenario {scenario!r}: SUMO takes the comma or ${{...}} in {file} for a list or a "
            "variable; choose a folder without them"
        )


def _comma_separated(files: Sequence[Path]) -> str:
    return ",".join(map(str, files))


def _more(config: SimulationConfig) -> Iterator[str]:
    """What the configuration says beside network and demand."""
    yield from ("--time-to-teleport", f"{config.time_to_teleport_s:g}")
    if config.depart_speed:
        yield from ("--default.departspeed", config.depart_speed)
    if config.depart_lane:
        yield from ("--default.departlane", config.depart_lane)
    for name, value in config.options.items():
        yield from (f"--{name}", str(value).lower() if isinstance(value, bool) else str(value))
