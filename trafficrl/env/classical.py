"""Classical controllers as they are configured: to be judged, and to teach."""

from collections.abc import Callable
from functools import partial
from typing import Any

from trafficrl.config.controller import ControllerConfig
from trafficrl.config.execution import Simulator
from trafficrl.control.controller import Controller
from trafficrl.control.greedy import longest_queue, max_pressure
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
from trafficrl.env.extensions import find_function
from trafficrl.env.own_controller import OwnController
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.network.programs import SignalProgram

__all__ = ["CONTROLLERS", "PLAN_FOLLOWERS", "build_classical", "check_simulator"]

PLAN_FOLLOWERS = ("fixed", "uniform", "webster", "actuated", "delay_based")
"""Kinds that decide nothing during an episode: how often they are asked changes no traffic."""


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


def build_classical(name: str, task: Task) -> Controller:
    """The classical controller of that name in the task, for the task's network.

    Raises:
        ConfigError: parameters that do not fit the network, or a controller that does not work in
            the task's model of SUMO.
    """
    config = task.controllers[name]
    check_simulator(name, config, task.simulator)
    try:
        return CONTROLLERS[config.kind](config, task)
    except ConfigError as error:
        raise ConfigError(str(error).replace("controller.*", f"controller.{name}")) from error


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


def _own(config: Any, task: Task) -> Controller:
    where = "controller.*.function"
    function = find_function(where, config.function, "CONTROLLERS", task.extensions)
    return OwnController(function, task.network, config.parameters, step_s=task.step_s)


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
    "own": _own,
}
"""Kind -> builder."""
