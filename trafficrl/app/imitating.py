"""What the policy of a training imitates before it learns: given files, or what a teacher drives.

Trainings share what a teacher has driven: it lies in `execution.cache_dir` by the hash of all that
decides it, and a copy in the `inputs/` of each run. Trainings that begin at once each drive it.
"""

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

from trafficrl.app.demonstrating import drive_demonstrations, find_teacher, tell_exactness
from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.teachers import CloningConfig
from trafficrl.env.demonstrations import Demonstrations, load_demonstrations, save_demonstrations
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.identity import demonstrations_key
from trafficrl.files import replacing
from trafficrl.runs.paths import RunPaths

__all__ = ["driven_before", "to_imitate", "with_demonstrations", "with_files"]

log = logging.getLogger(__name__)
KEY = "algorithm.cloning.teacher"


def with_demonstrations(config: ExperimentConfig, task: Task, paths: RunPaths) -> ExperimentConfig:
    """The configuration with the files that the policy imitates before it learns, if any.

    A teacher that it names has driven them, now or for an earlier training.

    Raises:
        ConfigError: a teacher whose decisions no action of the algorithm can say.
        CheckpointError: a model that is missing, damaged, or does not fit.
        RunError: the file cannot be written.
        SimulationError: a worker process died or hung.
    """
    cloning = to_imitate(config)
    if cloning is None:
        return with_files(config, [])
    if cloning.teacher is None:
        return config
    return with_files(config, [_driven(cloning.teacher, cloning, config, task, paths)])


def to_imitate(config: ExperimentConfig) -> CloningConfig | None:
    """What a training imitates at its start; None for nothing."""
    algorithm = config.algorithm
    if not isinstance(algorithm, CommonPPOConfig) or not algorithm.cloning.imitates:
        return None
    if config.resume_from is not None and not algorithm.cloning.after_resume:
        log.warning(
            "nothing is imitated: %s has learned already; algorithm.cloning.after_resume=true "
            "imitates all the same",
            config.resume_from,
        )
        return None
    return algorithm.cloning


def with_files(config: ExperimentConfig, files: list[Path]) -> ExperimentConfig:
    """The configuration with these files to imitate, and no teacher to drive others."""
    algorithm = config.algorithm
    if not isinstance(algorithm, CommonPPOConfig):
        return config
    names = [str(file) for file in files]
    cloning = replace(algorithm.cloning, demonstrations=names, teacher=None)
    return replace(config, algorithm=replace(algorithm, cloning=cloning))


def driven_before(config: ExperimentConfig, cloning: CloningConfig, task: Task) -> Path | None:
    """The file of what the teacher demonstrates, if it has driven for an earlier training."""
    file = _cached(config, _key(config, cloning, task))
    return None if _whole(file) is None else file


def _key(config: ExperimentConfig, cloning: CloningConfig, task: Task) -> str:
    assert cloning.teacher is not None
    controller = find_teacher(KEY, cloning.teacher, config)
    return demonstrations_key(task, controller, seed=cloning.demand_seed, episodes=cloning.episodes)


def _cached(config: ExperimentConfig, key: str) -> Path:
    return Path(config.execution.cache_dir) / "demonstrations" / f"{key}.npz"


def _driven(
    teacher: str, cloning: CloningConfig, config: ExperimentConfig, task: Task, paths: RunPaths
) -> Path:
    """The run's copy of what the teacher demonstrates."""
    key = _key(config, cloning, task)
    cached = _cached(config, key)
    copy = paths.inputs / KEY.replace(".", "-") / "demonstrations.npz"
    found = _whole(copy)
    if found is not None and found.facts.get("key") == key:  # the run was cut before it learned
        return copy
    found = _whole(cached)
    if found is None:
        _check_writable(cached.parent)
        found = drive_demonstrations(
            find_teacher(KEY, teacher, config),
            config,
            task,
            paths,
            name=teacher,
            seed=cloning.demand_seed,
            episodes=cloning.episodes,
            kept=copy.parent / key,
        )
        found.facts["key"] = key
        save_demonstrations(cached, found)
    else:
        log.info("%s: %s was driven before: %s", KEY, teacher, cached)
    shutil.rmtree(copy.parent / key, ignore_errors=True)
    tell_exactness(found, config)
    return _copied(cached, copy)


def _whole(file: Path) -> Demonstrations | None:
    if not file.exists():
        return None
    try:
        return load_demonstrations(file)
    except ConfigError as error:
        log.warning("driving damaged demonstrations again: %s", error)
        return None


def _check_writable(folder: Path) -> None:
    """Return when a file can be made there: told before hours of driving, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RunError(
            f"execution.cache_dir: {folder} cannot be written: {error.strerror}"
        ) from error


def _copied(file: Path, target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            shutil.copyfile(file, temporary)
    except OSError as error:
        raise RunError(f"{file} cannot be copied to {target}: {error.strerror}") from error
    log.info("kept %s: %s", KEY, target)
    return target
