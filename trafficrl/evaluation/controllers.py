"""Controllers by name: classical ones as they are configured, learned ones by their file."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from trafficrl.config.tree_method import TreeMethodConfig
from trafficrl.control.controller import Controller
from trafficrl.env.classical import build_classical
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, unknown_name
from trafficrl.training.teachers import build_learned

__all__ = ["build_controller", "check_controller", "model_file", "sampled_task"]


def model_file(name: str) -> Path | None:
    """The model file that a name is; None for what is none."""
    return Path(name) if name.endswith(".zip") else None


def check_controller(name: str, configured: Iterable[str]) -> None:
    """Return when the name can be built.

    Args:
        name: of a classical controller, or the path of a model.zip.
        configured: names of the classical controllers.

    Raises:
        ConfigError: no controller of that name and no model there.
    """
    if name in configured:
        return
    model = model_file(name)
    if model is None:
        raise ConfigError(unknown_name("controllers", name, [*configured, "PATH/model.zip"]))
    if not model.is_file():
        raise ConfigError(f"controllers: no model file {model}")


def build_controller(name: str, task: Task) -> Controller:
    """The controller of that name, or the learned one of that model, for the task's network.

    A model decides as it was trained to: it brings its own observation and action.

    Raises:
        ConfigError: no controller of that name, parameters that do not fit the network, or one
            that does not work in the task's model of SUMO.
        CheckpointError: the model is missing, damaged, or was trained for another network.
    """
    check_controller(name, task.controllers)
    if name in task.controllers:
        return build_classical(name, task)
    path = model_file(name)
    assert path is not None, "the check has found it"
    return build_learned(path, task)


def sampled_task(name: str, task: Task) -> Task:
    """The task with its lanes read as often as the controller of that name asks for.

    The others are not made slower by it. What they are judged by comes from trips; only the queue
    is the mean of readings.
    """
    config = task.controllers.get(name)
    if not isinstance(config, TreeMethodConfig) or config.sample_s is None:
        return task
    return replace(task, reward=replace(task.reward, sample_s=config.sample_s))
