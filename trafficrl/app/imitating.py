"""What the policy of a training imitates before it learns: given files, or what a teacher drives.

Trainings share what a teacher has driven: it lies in `execution.cache_dir` by the hash of all that
decides it, and a copy in the `inputs/` of each run.
"""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

from trafficrl.app.demonstrating import drive_demonstrations, find_teacher
from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import kept_name
from trafficrl.config.teachers import CloningConfig
from trafficrl.env.demonstrations import load_demonstrations, save_demonstrations
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.identity import demonstrations_key
from trafficrl.files import replacing
from trafficrl.runs.paths import RunPaths
from trafficrl.training.ppo import load_ancestor

__all__ = ["episodes_to_drive", "to_imitate", "with_demonstrations"]

log = logging.getLogger(__name__)
KEY = "algorithm.cloning.teacher"


def with_demonstrations(config: ExperimentConfig, task: Task, paths: RunPaths) -> ExperimentConfig:
    """The configuration with the files that the policy imitates before it learns.

    A teacher that it names has driven them, now or for an earlier training.

    Raises:
        ConfigError: a teacher whose decisions no action of the algorithm can say.
        CheckpointError: a model that is missing, damaged, or does not fit.
        RunError: the file cannot be written.
        SimulationError: a worker process died or hung.
    """
    algorithm = config.algorithm
    if not isinstance(algorithm, CommonPPOConfig) or not algorithm.cloning.imitates:
        return config
    cloning, files = algorithm.cloning, algorithm.cloning.demonstrations
    if to_imitate(config) is None:
        log.info("%s has imitated the same: it goes on learning", config.resume_from)
        files = []
    elif cloning.teacher is not None:
        files = [str(_driven(cloning.teacher, cloning, config, task, paths))]
    cloning = replace(cloning, demonstrations=files, teacher=None)
    return replace(config, algorithm=replace(algorithm, cloning=cloning))


def to_imitate(config: ExperimentConfig) -> CloningConfig | None:
    """What a training imitates at its start; None for nothing.

    A model to go on from that has imitated the same learns on: in a chain only the first training
    imitates. Files count by their names there, as in the hash of a configuration.

    Raises:
        CheckpointError: the model is missing or damaged.
    """
    algorithm = config.algorithm
    if not isinstance(algorithm, CommonPPOConfig) or not algorithm.cloning.imitates:
        return None
    if config.resume_from is not None:
        before = load_ancestor(config.resume_from, Path(config.execution.models_dir)).algorithm
        own = _named(algorithm.cloning)
        if isinstance(before, CommonPPOConfig) and _named(before.cloning) == own:
            return None
    return algorithm.cloning


def episodes_to_drive(cloning: CloningConfig, config: ExperimentConfig, task: Task) -> int:
    """How many episodes a teacher drives for it first; 0 where files are given, or it has."""
    if cloning.teacher is None or _is_whole(_cached(cloning.teacher, cloning, config, task)):
        return 0
    return cloning.episodes * len(task.scenarios)


def _named(cloning: CloningConfig) -> tuple[list[str], str, int, int]:
    files = [kept_name(file) for file in cloning.demonstrations]
    return files, kept_name(cloning.teacher or ""), cloning.episodes, cloning.demand_seed


def _cached(teacher: str, cloning: CloningConfig, config: ExperimentConfig, task: Task) -> Path:
    controller = find_teacher(KEY, teacher, config)
    key = demonstrations_key(task, controller, seed=cloning.demand_seed, episodes=cloning.episodes)
    return Path(config.execution.cache_dir) / "demonstrations" / f"{key}.npz"


def _driven(
    teacher: str, cloning: CloningConfig, config: ExperimentConfig, task: Task, paths: RunPaths
) -> Path:
    """The run's copy of what the teacher demonstrates."""
    cached = _cached(teacher, cloning, config, task)
    if _is_whole(cached):
        log.info("%s: %s was driven before: %s", KEY, teacher, cached)
    else:
        found = drive_demonstrations(
            find_teacher(KEY, teacher, config),
            config,
            task,
            paths,
            name=teacher,
            seed=cloning.demand_seed,
            episodes=cloning.episodes,
        )
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{cached.parent} cannot be made: {error.strerror}") from error
        save_demonstrations(cached, found)
    return _copied(cached, paths.inputs / KEY.replace(".", "-") / "demonstrations.npz")


def _is_whole(file: Path) -> bool:
    if not file.exists():
        return False
    try:
        load_demonstrations(file)
    except ConfigError as error:
        log.warning("driving damaged demonstrations of the cache again: %s", error)
        return False
    return True


def _copied(file: Path, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            shutil.copyfile(file, temporary)
    except OSError as error:
        raise RunError(f"{file} cannot be copied to {target}: {error.strerror}") from error
    log.info("kept %s: %s", KEY, target)
    return target
