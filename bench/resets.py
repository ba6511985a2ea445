"""(e) What begins an episode: the environment's reset against SUMO's own load.

Both close the simulation before and load the next one, in one process. The demand of a reset comes
from a file that was given, is drawn with the scenario's fixed seeds, or anew each time.
"""

import shlex
from collections.abc import Iterator
from dataclasses import replace

import libsumo

from bench.cases import CASES, Case, experiment, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import Cost, Meter, in_child
from trafficrl.config.scenarios import DemandMode, GeneratedScenarioConfig, ScenarioConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv

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
            cpu, wall = ratio(found, "reset", "load")
            yield Row(
                "e",
                case.name,
                f"reset ({what}) / load",
                cpu,
                wall=wall,
                target=TARGET,
                note=f"load {min(cost.cpu_s for cost in found['load']):.3f} s",
                raw=costs(found),
            )


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
        command = shlex.split(info["sumo_command"])
        meter = Meter()
        libsumo.close()
        libsumo.start(command)
        return meter.read()

    found = take_turns({"reset": reset, "load": load}, repeats)
    env.close()
    return found
