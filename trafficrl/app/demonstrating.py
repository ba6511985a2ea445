"""A controller drives training episodes, and what it does is written down for others to imitate."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from trafficrl.app.controllers import find_controllers
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import plain_values
from trafficrl.env.demonstrations import Demonstrations
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.demonstrating import demonstrate_all
from trafficrl.evaluation.pool import WorkerPool
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.processors import processors
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.sidecars import file_sha256

__all__ = ["drive_demonstrations", "find_teacher", "tell_exactness"]

log = logging.getLogger(__name__)


def drive_demonstrations(
    controller: str,
    config: ExperimentConfig,
    task: Task,
    paths: RunPaths,
    *,
    name: str,
    seed: int,
    episodes: int,
    kept: Path | None = None,
) -> Demonstrations:
    """What the controller does in so many training episodes of each scenario, and its provenance.

    Args:
        controller: its name, or the file of its model.
        config: of the run that asks.
        task: whose scenarios, observation, action and reward.
        paths: of that run: demand files lie in its `work/` meanwhile.
        name: by which the user called the controller.
        seed: that the training demand follows from.
        episodes: of each scenario.
        kept: folder for finished episodes, from which the same call goes on after it was cut.

    Raises:
        ConfigError: a controller whose decisions no action of the algorithm can say.
        CheckpointError: a model that is missing, damaged, or was trained for another network.
        SimulationError: a worker process died or hung.
    """
    build_controller(controller, task)  # or it is refused in a worker
    paths.work.mkdir(parents=True, exist_ok=True)
    workers = config.evaluation.workers or processors()
    pool = WorkerPool(task, paths.work, workers, hang_timeout_s=config.execution.hang_timeout_s)
    total = episodes * len(task.scenarios)
    drive = partial(demonstrate_all, controller, task, seed=seed, episodes=episodes, kept=kept)
    try:
        with ProgressReport("collecting", total=total, unit="episodes") as progress:
            found = drive(pool=pool, report=progress.advance_to)
    finally:
        pool.close()
    # A model goes by its file's name: where that lies is nothing that others could use.
    called = name if controller in task.controllers else Path(name).name
    found.facts.update({"teacher": called, "seed": seed} | _origin(config, controller, task))
    return found


def find_teacher(key: str, name: str, config: ExperimentConfig) -> str:
    """The name of a classical controller, or the path of a model.

    Raises:
        ConfigError: there is none of that name.
    """
    try:
        ((_, controller),) = find_controllers([name], config).items()
    except ConfigError as error:
        raise ConfigError(str(error).replace("controllers:", f"{key}:", 1)) from error
    return controller


def _origin(config: ExperimentConfig, controller: str, task: Task) -> dict[str, Any]:
    """All that decided the demonstrations, and what a learner has to have in common with them."""
    classical = controller in task.controllers
    return {
        "parameters": plain_values(task.controllers[controller]) if classical else None,
        "model_sha256": None if classical else file_sha256(Path(controller)),
        "observation": plain_values(task.observation),
        "action": plain_values(task.action),
        "reward": plain_values(task.reward),
        "network_hash": task.network.hash,
        "simulator": config.execution.simulator.value,
        "sumo": config.provenance["sumo"],
        "packages": config.provenance["packages"],
        "git_commit": config.provenance["git_commit"],
    }


def tell_exactness(found: Demonstrations, config: ExperimentConfig) -> None:
    """Say how much of what signals did the actions say."""
    teacher, exact_share = found.facts["teacher"], found.facts["exact_share"]
    if exact_share == 1.0:
        log.info("teacher %s: its actions say all that signals did", teacher)
        return
    log.warning(
        "teacher %s: actions of algorithm.action.kind=%s say exactly what signals did in %.1f %% "
        "of decisions; elsewhere the nearest action stands",
        teacher,
        config.algorithm.action.kind.name,
        100 * exact_share,
    )
