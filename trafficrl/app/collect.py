"""trafficrl-collect: a controller drives training episodes, and what it does is written down."""

import logging
import shutil
import sys
from pathlib import Path

from trafficrl.app.build import open_run, refuse_used
from trafficrl.app.console import run_app
from trafficrl.app.demonstrating import drive_demonstrations, find_teacher, tell_exactness
from trafficrl.config.experiment import CollectConfig
from trafficrl.config.identity import config_hash
from trafficrl.env.demonstrations import save_demonstrations
from trafficrl.runs.paths import RunPaths

__all__ = ["collect", "demonstrate", "main"]

log = logging.getLogger(__name__)
FILE = "demonstrations.npz"


def collect(config: CollectConfig, folder: Path) -> None:
    """The folder holds the demonstrations of the teacher, with where they come from."""
    demonstrate(config, folder)


def demonstrate(config: CollectConfig, folder: Path) -> Path:
    """The file in the folder that holds the demonstrations of the teacher now.

    Only training demand is driven: no key leads to that of validation or test.

    Raises:
        ConfigError: an unknown teacher, or one whose decisions no action of the algorithm can say.
        RunError: the folder holds a trained run.
        CheckpointError: a model that is missing, damaged, or was trained for another network.
    """
    controller = find_teacher("teacher", config.teacher, config)
    paths = RunPaths(folder)
    refuse_used(paths)
    config, task = open_run(config, paths)
    try:
        found = drive_demonstrations(
            controller,
            config,
            task,
            paths,
            name=config.teacher,
            seed=config.seed,
            episodes=config.episodes,
        )
    finally:
        shutil.rmtree(paths.work, ignore_errors=True)
    tell_exactness(found, config)
    found.facts["config_hash"] = config_hash(config)
    file = paths.root / FILE
    save_demonstrations(file, found)
    episodes = len(found.facts["episodes"])
    log.info("%d decisions of %d episodes: %s", len(found.rewards), episodes, file)
    return file


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(collect, CollectConfig, config_name="collect"))


if __name__ == "__main__":
    main()
