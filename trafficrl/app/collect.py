"""trafficrl-collect: a controller drives training episodes, and what it does is written down."""

import logging
import shutil
import sys
from pathlib import Path
from typing import Any

from trafficrl.app.build import open_run, refuse_used
from trafficrl.app.console import run_app
from trafficrl.app.controllers import find_controllers
from trafficrl.config.experiment import CollectConfig
from trafficrl.config.identity import config_hash
from trafficrl.config.load import plain_values
from trafficrl.env.demonstrations import save_demonstrations
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.demonstrating import demonstrate_all
from trafficrl.evaluation.pool import WorkerPool
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.processors import processors
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.sidecars import file_sha256

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
    controller = find_teacher(config)
    paths = RunPaths(folder)
    refuse_used(paths)
    config, task = open_run(config, paths)
    build_controller(controller, task)  # or it is refused in a worker
    paths.work.mkdir(parents=True, exist_ok=True)
    pool = WorkerPool(
        task,
        paths.work,
        config.evaluation.workers or processors(),
        hang_timeout_s=config.execution.hang_timeout_s,
    )
    total = config.episodes * len(task.scenarios)
    try:
        with ProgressReport("collecting", total=total, unit="episodes") as progress:
            found = demonstrate_all(
                controller,
                task,
                seed=config.seed,
                episodes=config.episodes,
                pool=pool,
                report=progress.advance_to,
            )
    finally:
        pool.close()
        shutil.rmtree(paths.work, ignore_errors=True)
    found.facts.update(origin(config, controller, task))
    file = paths.root / FILE
    save_demonstrations(file, found)
    tell(found.facts["exact_share"], config)
    log.info("%d decisions of %d episodes: %s", len(found.rewards), total, file)
    return file


def find_teacher(config: CollectConfig) -> str:
    """The name of a classical controller, or the path of a model.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        ((_, controller),) = find_controllers([config.teacher], config).items()
    except ConfigError as error:
        raise ConfigError(str(error).replace("controllers:", "teacher:", 1)) from error
    return controller


def origin(config: CollectConfig, controller: str, task: Task) -> dict[str, Any]:
    """All that decided the demonstrations, and what a learner has to have in common with them."""
    classical = controller in task.controllers
    return {
        "teacher": config.teacher,
        "parameters": plain_values(task.controllers[controller]) if classical else None,
        "model_sha256": None if classical else file_sha256(Path(controller)),
        "observation": plain_values(task.observation),
        "action": plain_values(task.action),
        "reward": plain_values(task.reward),
        "network_hash": task.network.hash,
        "config_hash": config_hash(config),
        "seed": config.seed,
        "simulator": config.execution.simulator.value,
        "sumo": config.provenance["sumo"],
        "packages": config.provenance["packages"],
        "git_commit": config.provenance["git_commit"],
    }


def tell(exact_share: float, config: CollectConfig) -> None:
    """Say how much of what signals did the actions say."""
    if exact_share == 1.0:
        log.info("teacher %s: its actions say all that signals did", config.teacher)
        return
    log.warning(
        "teacher %s: actions of algorithm.action.kind=%s say exactly what signals did in %.1f %% "
        "of decisions; elsewhere the nearest action stands",
        config.teacher,
        config.algorithm.action.kind.name,
        100 * exact_share,
    )


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(collect, CollectConfig, config_name="collect"))


if __name__ == "__main__":
    main()
