"""What is measured on: four cities with their traffic, composed of the members of conf/."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hydra import compose, initialize_config_dir

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import to_experiment
from trafficrl.config.observation import (
    EDGE_FEATURES,
    NETWORK_FEATURES,
    PHASE_FEATURES,
    SIGNAL_FEATURES,
    ObservationConfig,
)
from trafficrl.config.reward import REWARD_TERMS, RewardConfig, TermConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.store import conf_dir, register_configs
from trafficrl.demand.build import build_scenario
from trafficrl.env.task import Task
from trafficrl.network.build import build_network

__all__ = ["CASES", "DECISION_S", "Case", "experiment", "grid", "prepare"]

DECISION_S = 10


@dataclass(frozen=True, slots=True)
class Case:
    """A city with one scenario."""

    name: str
    overrides: tuple[str, ...]
    scenario: str
    whole_s: float
    """How long an episode of it lasts [s]; its trips are spread over that."""


def grid(dimension: int, num_vehicles: int, whole_s: float) -> Case:
    """Streets like those of grid6_realistic, with no junction removed, under the study's load."""
    overrides = (
        "network=grid6_realistic",
        "network.junctions_to_remove=0",
        f"network.grid_dimension={dimension}",
        "scenarios=heavy_load",
        f"scenarios.heavy_realtime_s1.num_vehicles={num_vehicles}",
    )
    name = f"{dimension**2} signals, {num_vehicles:,} trips"
    return Case(name, overrides, "heavy_realtime_s1", whole_s)


CASES = {
    "grid3": Case("grid3", ("network=grid3", "scenarios=light"), "morning", 1800),
    "city36": grid(6, 18_000, 7200),
    "grid6_realistic": Case(
        "grid6_realistic, heavy_load",
        ("network=grid6_realistic", "scenarios=heavy_load"),
        "heavy_realtime_s1",
        7200,
    ),
    "cologne1": Case("cologne1", ("experiment=resco/cologne1",), "cologne1", 3600),
}


def experiment(*overrides: str) -> ExperimentConfig:
    """What trafficrl-train would be given for these overrides, with an agent for all signals.

    What one for each signal sees takes detectors, which bare SUMO would have to have as well.
    """
    central = ("algorithm=ppo_quick", "reward=delay")
    register_configs()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return to_experiment(compose("train", [*central, *overrides]))


def prepare(case: Case, folder: Path, *, horizon_s: float) -> Task:
    """A task of that city whose demand lies in a file, so that an episode draws none.

    Every feature is seen and every term is read, and a decision lasts 10 s.

    Args:
        case: the city and its traffic.
        folder: keeps network and trips.
        horizon_s: an episode is cut after so many seconds, with the trips of the whole one.
    """
    config = experiment(*case.overrides)
    network = build_network(config.network, folder)
    traffic = config.scenarios[case.scenario]
    if not isinstance(traffic, RouteFileScenarioConfig):
        demand = folder / "demand" / case.name.replace(" ", "_").replace(",", "")
        demand.mkdir(parents=True, exist_ok=True)
        built = build_scenario(
            case.scenario, traffic, network, seeds=None, end_s=case.whole_s, folder=demand
        )
        traffic = RouteFileScenarioConfig(file=_names(built.route_files))
    task = Task.of(config, network)
    return replace(
        task,
        scenarios={case.scenario: traffic},
        observation=ObservationConfig(
            edge_features=list(EDGE_FEATURES),
            phase_features=list(PHASE_FEATURES),
            signal_features=list(SIGNAL_FEATURES),
            network_features=list(NETWORK_FEATURES),
        ),
        reward=RewardConfig(terms={name: TermConfig(weight=1.0) for name in REWARD_TERMS}),
        end_s=min(horizon_s, case.whole_s),
    )


def _names(files: Sequence[Path]) -> list[str]:
    return [str(file) for file in files]
