"""Controllers by name, or by the file of a learned model."""

from collections.abc import Callable
from pathlib import Path

from trafficrl.control.controller import Controller
from trafficrl.control.fixed_time import FixedTime
from trafficrl.control.learned import LearnedController
from trafficrl.env.actions import build_action
from trafficrl.env.observations import ObservationEncoder
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, unknown_name
from trafficrl.training.models import load_model

__all__ = ["CONTROLLERS", "build_controller", "check_controller"]

CONTROLLERS: dict[str, Callable[[Task], Controller]] = {
    "fixed": lambda task: FixedTime(interval_s=task.action.decision_s),
}


def check_controller(name: str) -> None:
    """Return when the name can be built.

    Raises:
        ConfigError: no controller of that name and no model file there.
    """
    if name in CONTROLLERS:
        return
    if not name.endswith(".zip"):
        raise ConfigError(unknown_name("controllers", name, [*CONTROLLERS, "PATH/model.zip"]))
    if not Path(name).is_file():
        raise ConfigError(f"controllers: no model file {name}")


def build_controller(name: str, task: Task) -> Controller:
    """The controller of that name, or the learned one of that model.zip, for the task's network.

    A model decides as it was trained to: it brings its own observation and action.

    Raises:
        ConfigError: no controller of that name.
        CheckpointError: the model is missing, damaged, or was trained for another network.
    """
    check_controller(name)
    if name in CONTROLLERS:
        return CONTROLLERS[name](task)
    model = load_model(Path(name))
    model.check_fits(task.network)
    encoder = ObservationEncoder(model.observation, task.network, end_s=task.end_s)
    action = build_action(model.action, task.network, task.step_s)
    return LearnedController(encoder.encode, model.act, action.decode)
