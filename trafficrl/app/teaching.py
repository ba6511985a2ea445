"""The models that teach a learner, by whichever names the user gave them."""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.errors import ConfigError, unknown_name
from trafficrl.runs.registry import ModelRegistry, find_registered
from trafficrl.runs.run_models import best_model

__all__ = ["with_teacher_files"]

E = TypeVar("E", bound=ExperimentConfig)


def with_teacher_files(config: E) -> E:
    """The configuration with the files of the models that its teachers mean: a run keeps a copy of
    them, whatever becomes of the other run or of the name.

    A classical controller stays a name. Of a run folder the best model is meant.

    Raises:
        ConfigError: nothing has the name.
        CheckpointError: a run without a whole model, or a named model that is damaged.
        RunError: the named models cannot be read.
    """
    algorithm = config.algorithm
    if not isinstance(algorithm, CommonPPOConfig):
        return config
    cloning, kickstart = algorithm.cloning, algorithm.kickstart
    imitated = _file_of("algorithm.cloning.teacher", cloning.teacher, config)
    followed = _file_of("algorithm.kickstart.teacher", kickstart.teacher, config)
    changed = replace(
        algorithm,
        cloning=replace(cloning, teacher=imitated),
        kickstart=replace(kickstart, teacher=followed),
    )
    return replace(config, algorithm=changed)


def _file_of(key: str, given: str | None, config: ExperimentConfig) -> str | None:
    if given is None or given in config.controller or given.endswith(".zip"):
        return given
    file = _model_of(given, Path(config.execution.models_dir))
    if file is None:
        models = [*ModelRegistry(Path(config.execution.models_dir)).labels(), "PATH/model.zip"]
        choices = [*config.controller, *models, "RUN_FOLDER"]
        raise ConfigError(unknown_name(key, given, choices))
    return str(file)


def _model_of(given: str, registry: Path) -> Path | None:
    path = Path(given)
    if path.is_dir():
        return best_model(path)
    return path if path.is_file() else find_registered(given, registry)
