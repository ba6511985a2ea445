"""Controllers by name: classical ones as they are configured, learned ones by their file."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from trafficrl.config.controller import ControllerConfig
from trafficrl.config.execution import Simulator
from trafficrl.control.controller import Controller
from trafficrl.control.greedy import longest_queue, max_pressure
from trafficrl.control.learned import LearnedController
from trafficrl.control.plans import (
    PlanFollower,
    actuated_programs,
    delay_based_programs,
    uniform_programs,
)
from trafficrl.control.random_phase import RandomPhase
from trafficrl.control.sotl import Sotl
from trafficrl.control.tree_method.controller import TreeMethod
from trafficrl.control.webster import WebsterPlans
from trafficrl.env.actions import build_action
from trafficrl.env.encoding import build_encoder
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError, unknown_name
from trafficrl.network.programs import SignalProgram

__all__ = ["CONTROLLERS", "build_controller", "check_controller", "check_simulator", "model_file"]


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


def check_simulator(name: str, config: ControllerConfig, simulator: Simulator) -> None:
    """Return when the classical controller works in SUMO's model.

    Raises:
        ConfigError: its detectors see nothing there, so that it would be the plan of the network.
    """
    if simulator is Simulator.meso and config.kind == "delay_based":
        raise ConfigError(
            f"controllers: {name} (delay_based) needs execution.simulator=micro: in SUMO's "
            "mesoscopic model its detectors see no vehicles"
        )


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
        config = task.controllers[name]
        check_simulator(name, config, task.simulator)
        try:
            return CONTROLLERS[config.kind](config, task)
        except ConfigError as error:
            raise ConfigError(str(error).replace("controller.*", f"controller.{name}")) from error
    path = model_file(name)
    assert path is not None, "the check has found it"
    return _learned(path, task)


def _learned(path: Path, task: Task) -> Controller:
    # Seconds and 200 MB of torch in each process: where classical controllers drive, for nothing.
    from trafficrl.training.models import load_model  # noqa: PLC0415

    model = load_model(path)
    model.check_fits(task.network)
    encoder = build_encoder(model.observation, task.network, end_s=task.end_s, step_s=task.step_s)
    action = build_action(model.action, task.network, task.step_s)
    return LearnedController(encoder.encode, model.act, action.decode)


# A config is of the kind that stands beside its builder.


def _fixed(config: Any, task: Task) -> Controller:
    return PlanFollower(interval_s=task.action.decision_s)


def _webster(config: Any, task: Task) -> Controller:
    plans = WebsterPlans(task.network, config, step_s=task.step_s)
    return PlanFollower(plans.programs, interval_s=task.action.decision_s)


def _programs(programs: Callable[..., list[SignalProgram]], config: Any, task: Task) -> Controller:
    """Programs that are the same for every scenario."""
    made = programs(task.network, config)
    return PlanFollower(lambda scenario: made, interval_s=task.action.decision_s)


def _uniform(config: Any, task: Task) -> Controller:
    return _programs(partial(uniform_programs, step_s=task.step_s), config, task)


def _deciding(build: Callable[..., Controller], config: Any, task: Task) -> Controller:
    return build(task.network, config, step_s=task.step_s)


CONTROLLERS: dict[str, Callable[[Any, Task], Controller]] = {
    "fixed": _fixed,
    "uniform": _uniform,
    "webster": _webster,
    "actuated": partial(_programs, actuated_programs),
    "delay_based": partial(_programs, delay_based_programs),
    "max_pressure": partial(_deciding, max_pressure),
    "longest_queue": partial(_deciding, longest_queue),
    "sotl": partial(_deciding, Sotl),
    "random": partial(_deciding, RandomPhase),
    "tree_method": partial(_deciding, TreeMethod),
}
"""Kind -> builder."""
