"""The files that a configuration names, each with its key: found, copied and written in one way."""

from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.extensions import check_names
from trafficrl.config.network import NetFileConfig, OsmConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig, ScenarioConfig
from trafficrl.errors import ConfigError

__all__ = ["inside", "locate", "map_files"]

E = TypeVar("E", bound=ExperimentConfig)
Change = Callable[[str, str], str]


def map_files(config: E, change: Change) -> E:
    """The configuration with each path replaced by `change(key, path)`."""
    network = config.network
    if isinstance(network, NetFileConfig | OsmConfig):
        network = replace(network, file=change("network.file", network.file))
    scenarios = {
        name: _map_scenario(f"scenarios.{name}", scenario, change)
        for name, scenario in config.scenarios.items()
    }
    algorithm = config.algorithm
    if isinstance(algorithm, CommonPPOConfig):
        algorithm = _map_teachers(algorithm, change, classical=config.controller)
    return replace(
        config,
        network=network,
        scenarios=scenarios,
        algorithm=algorithm,
        extensions=[change("extensions", file) for file in config.extensions],
    )


def _map_teachers(
    algorithm: CommonPPOConfig, change: Change, *, classical: Container[str]
) -> CommonPPOConfig:
    cloning, kickstart = algorithm.cloning, algorithm.kickstart
    key = "algorithm.cloning.demonstrations"
    files = [change(key, file) for file in cloning.demonstrations]

    def map_teacher(key: str, teacher: str | None) -> str | None:
        return teacher if teacher is None or teacher in classical else change(key, teacher)

    return replace(
        algorithm,
        cloning=replace(
            cloning,
            demonstrations=files,
            teacher=map_teacher("algorithm.cloning.teacher", cloning.teacher),
        ),
        kickstart=replace(
            kickstart, teacher=map_teacher("algorithm.kickstart.teacher", kickstart.teacher)
        ),
    )


def _map_scenario(where: str, scenario: ScenarioConfig, change: Change) -> ScenarioConfig:
    if not isinstance(scenario, RouteFileScenarioConfig):
        return scenario
    return replace(
        scenario,
        file=[change(f"{where}.file", file) for file in scenario.file],
        additional=[change(f"{where}.additional", file) for file in scenario.additional],
    )


def locate(config: E, folders: list[Path]) -> E:
    """The configuration with absolute paths; relative ones are looked for in the folders, in order.

    Raises:
        ConfigError: a file that is nowhere, naming its key, or a reward term, feature or
            controller that is in none of the extensions.
    """

    def find(key: str, path: str) -> str:
        places = [folder / Path(path).expanduser() for folder in folders]
        for place in places:
            if place.is_file():
                return str(place.resolve())
        raise ConfigError(f"{key}: there is no file {path!r} (looked in {folders[0].resolve()})")

    located = map_files(config, find)
    check_names(
        located.reward, located.algorithm.observation, located.controller, located.extensions
    )
    return located


def inside(config: E, folder: Path) -> E:
    """The configuration with paths relative to the folder where they lie inside it."""

    def shorten(key: str, path: str) -> str:
        place = Path(path)
        return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else path

    return map_files(config, shorten)
