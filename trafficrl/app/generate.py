"""trafficrl-generate: network and demand only, with a picture, to look at before training."""

import logging
import sys
import time
from pathlib import Path

from trafficrl.app.build import build_task
from trafficrl.app.console import run_app
from trafficrl.app.inputs import keep_inputs
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.demand.build import build_scenario
from trafficrl.network.picture import draw_network
from trafficrl.runs.paths import RunPaths

__all__ = ["generate", "main"]

log = logging.getLogger(__name__)


def generate(config: ExperimentConfig, folder: Path) -> None:
    """The folder holds the network, its picture, and the demand of every scenario's fixed seeds.

    Raises:
        NetworkError: the network cannot be built.
        DemandError: the demand cannot be generated on it.
    """
    paths = RunPaths(folder)
    config = keep_inputs(config, paths.inputs)
    task = build_task(config, paths)
    start = time.perf_counter()
    picture = paths.network / "network.png"
    draw_network(task.network, picture)
    log.info("picture: %s in %.2f s", picture, time.perf_counter() - start)
    for name, scenario in config.scenarios.items():
        start = time.perf_counter()
        built = build_scenario(
            name,
            scenario,
            task.network,
            seeds=None,
            end_s=config.execution.end_time,
            folder=paths.root / "demand",
        )
        log.info(
            "demand %s: %s vehicles in %.2f s: %s",
            name,
            built.num_scheduled,
            time.perf_counter() - start,
            *built.route_files,
        )


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(generate, ExperimentConfig, config_name="generate"))


if __name__ == "__main__":
    main()
