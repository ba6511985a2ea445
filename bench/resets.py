"""(e) What begins an episode: the environment's reset against SUMO's own load.

Both close the simulation before and load the next one, in one process. The demand of a reset comes
from a file that was given, is drawn with the scenario's fixed seeds, or anew each time. A training
has each episode in a new fork of a worker's process, which is a row of its own.
"""

import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import libsumo

from bench.cases import CASES, Case, experiment, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import Cost, Meter, in_child
from trafficrl.config.scenarios import DemandMode, GeneratedScenarioConfig, ScenarioConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.training.processes import ProcessVecEnv

__all__ = ["measure"]

TARGET = Target(1.2)


def measure(plan: Plan) -> Iterator[Row]:
    """A row for each case and way to its demand."""
    for name, case in CASES.items():
        if plan.quick and name != "grid3":
            continue
        given = prepare(case, plan.folder, horizon_s=case.whole_s)
        for what, demand in demands(case, given).items():
            task = replace(given, scenarios={case.scenario: demand})
            found = in_child(resets_and_loads, task, plan.repeats)
            yield compare(case, f"reset ({what}) / load", found)
        found = in_child(worker_resets_and_loads, given, plan.repeats)
        yield compare(case, "reset in a training's worker (file) / load", found)


def compare(case: Case, what: str, found: dict[str, list[Cost]]) -> Row:
    """Resets by loads."""
    cpu, wall = ratio(found, "reset", "load")
    note = f"load {min(cost.cpu_s for cost in found['load']):.3f} s"
    return Row("e", case.name, what, cpu, wall=wall, target=TARGET, note=note, raw=costs(found))


def demands(case: Case, given: Task) -> dict[str, ScenarioConfig]:
    """Where a reset may have its demand from."""
    found = {"file": given.scenarios[case.scenario]}
    config = experiment(*case.overrides).scenarios[case.scenario]
    if isinstance(config, GeneratedScenarioConfig):
        for mode in DemandMode:
            found[f"{mode.name} demand"] = replace(config, demand=mode)
    return found


def resets_and_loads(task: Task, repeats: int) -> dict[str, list[Cost]]:
    """Both in turn; to be run in a child."""
    env = TrafficSignalEnv(task, seed=1)
    _, info = env.reset()  # the first of a process also reads what SUMO reads once

    def reset() -> Cost:
        nonlocal info
        meter = Meter()
        _, info = env.reset()
        return meter.read()

    def load() -> Cost:
        """The environment's simulation is replaced by one like it, which it does not notice."""
        return load_again(shlex.split(info["sumo_command"]))

    found = take_turns({"reset": reset, "load": load}, repeats)
    env.close()
    return found


def worker_resets_and_loads(task: Task, repeats: int) -> dict[str, list[Cost]]:
    """Resets over there, loads here, in turn; to be run in a child."""
    with tempfile.TemporaryDirectory() as folder:
        make = partial(TrafficSignalEnv, task, seed=1)
        envs = ProcessVecEnv([make], experiment().execution, Path(folder))
        envs.reset()
        libsumo.start(command_of(envs))

        def reset() -> Cost:
            meter = Meter(workers=envs.process_ids)
            envs.reset()
            return meter.read()

        found = take_turns({"reset": reset, "load": lambda: load_again(command_of(envs))}, repeats)
        libsumo.close()
        envs.close()
    return found


def command_of(envs: ProcessVecEnv) -> list[str]:
    """Of the simulation that the one environment has begun."""
    return shlex.split(envs.reset_infos[0]["sumo_command"])


def load_again(command: list[str]) -> Cost:
    """The simulation of this process is closed and another one loaded."""
    meter = Meter()
    libsumo.close()
    libsumo.start(command)
    return meter.read()
