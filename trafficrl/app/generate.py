"""trafficrl-generate: network and demand only, with pictures, to look at before training."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from trafficrl.app.build import open_run, refuse_used
from trafficrl.app.console import run_app
from trafficrl.config.execution import refuse_dry_run
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig, ScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.picture import draw_demand
from trafficrl.demand.scenario import read_departures
from trafficrl.env.task import Task
from trafficrl.network.picture import draw_network
from trafficrl.runs.paths import RunPaths

__all__ = ["generate", "main"]

log = logging.getLogger(__name__)


def generate(config: ExperimentConfig, folder: Path) -> None:
    """The folder holds the network, every scenario's demand of its fixed seeds, and pictures.

    Raises:
        ConfigError: it is to be tried only.
        RunError: the folder holds a trained run.
        NetworkError: the network cannot be built.
        DemandError: the demand cannot be generated on it, or its files cannot be used.
    """
    refuse_dry_run(config.execution)
    paths = RunPaths(folder)
    refuse_used(paths)
    watch = Stopwatch()
    with watch.timed("network"):
        config, task = open_run(config, paths)
    picture = paths.network / "network.png"
    with watch.timed("picture of the network"):
        draw_network(task.network, picture)
    log.info("picture: %s", picture)
    for name, scenario in config.scenarios.items():
        generate_demand(name, scenario, task, paths, watch)
    log.info("time: %s", watch)


def generate_demand(
    name: str, scenario: ScenarioConfig, task: Task, paths: RunPaths, watch: "Stopwatch"
) -> None:
    """The demand of one scenario and its picture."""
    with watch.timed(f"demand {name}"):
        built = build_scenario(
            name, scenario, task.network, seeds=None, end_s=task.end_s, folder=paths.demand
        )
    with watch.timed(f"reading {name}"):
        departures = read_departures(built, task.network, step_s=task.step_s)
    about = "" if departures.exact else "about "
    files = ", ".join(map(str, built.route_files))
    log.info("demand %s: %s%d vehicles: %s", name, about, len(departures), files)
    picture = paths.demand / f"{name}.png"
    picture.parent.mkdir(exist_ok=True)
    clock_s = 0.0
    if isinstance(scenario, GeneratedScenarioConfig):
        clock_s = scenario.start_time_hour * 3600.0
    with watch.timed(f"picture of {name}"):
        draw_demand(departures, task.network, picture, name=name, clock_s=clock_s)
    log.info("picture: %s", picture)


@dataclass
class Stopwatch:
    """Where the time went, stage by stage."""

    stages_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """The block's time counts for the stage."""
        start = time.perf_counter()
        yield
        self.stages_s[stage] = time.perf_counter() - start

    def __str__(self) -> str:
        parts = [f"{stage} {seconds:.2f} s" for stage, seconds in self.stages_s.items()]
        return f"{', '.join(parts)}; {sum(self.stages_s.values()):.2f} s together"


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(generate, ExperimentConfig, config_name="generate"))


if __name__ == "__main__":
    main()
