"""Controllers that a learner follows: learned ones by their file, classical ones by their name."""

from pathlib import Path

from trafficrl.control.controller import Controller
from trafficrl.control.learned import LearnedController
from trafficrl.env.actions import build_action
from trafficrl.env.classical import build_classical
from trafficrl.env.encoding import task_encoder
from trafficrl.env.task import Task
from trafficrl.env.teacher import Teacher
from trafficrl.errors import ConfigError

__all__ = ["build_learned", "build_teacher"]


def build_learned(file: Path, task: Task) -> Controller:
    """What the model of that file decides; it brings its own observation and action.

    Raises:
        CheckpointError: the model is missing, damaged, or was trained for another network.
        ConfigError: it sees a feature of the user's own that no extension of the task has.
    """
    # Seconds and 200 MB of torch in each process: where classical controllers drive, for nothing.
    from trafficrl.training.models import load_model  # noqa: PLC0415

    model = load_model(file)
    model.check_fits(task.network)
    try:
        encoder = task_encoder(task, model.algorithm)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    action = build_action(model.algorithm.action, task.network, task.step_s)
    return LearnedController(encoder.encode, model.act, action.decode, cells_m=encoder.cells_m)


def build_teacher(name: str, task: Task) -> Teacher:
    """The controller of that name, or the model of that file, told in actions of the task.

    Raises:
        ConfigError: parameters that do not fit the network.
        CheckpointError: the model is missing, damaged, or was trained for another network.
    """
    if name in task.controllers:
        return Teacher(name, build_classical(name, task), task)
    controller = build_learned(Path(name), task)
    from trafficrl.training.models import use_one_thread  # noqa: PLC0415

    use_one_thread()  # many environments decide at once
    return Teacher(name, controller, task)
