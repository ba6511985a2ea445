"""(g) The evaluation of six controllers on five seeds against the bare runs of its episodes."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from bench.cases import experiment
from bench.compare import Plan, Row, costs, ratio, take_turns
from bench.cost import SUMO, Cost, Meter, in_child, run_together
from bench.replay import bare_replays, differing
from trafficrl.env.task import Task
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.evaluation.outcome import Measure
from trafficrl.network.build import build_network
from trafficrl.runs.seeding import Split

__all__ = ["measure"]

CONTROLLERS = ("fixed", "uniform", "actuated", "max_pressure", "longest_queue", "sotl")
SEEDS = 5
TURNS = 3
"""Each has sixty episodes."""


def measure(plan: Plan) -> Iterator[Row]:
    """One row: both have as many processes at once as there are cores."""
    config = experiment("~scenarios.evening", "execution.end_time=1800")
    task = Task.of(config, build_network(config.network, plan.folder))
    controllers = CONTROLLERS[2:4] if plan.quick else CONTROLLERS
    seeds = 1 if plan.quick else SEEDS
    commands = in_child(bare_replays, task, controllers, seeds, plan.folder / "replays")
    found = take_turns(
        {
            "evaluation": lambda: in_child(evaluate, task, controllers, seeds, plan.folder),
            "bare": lambda: run_all(commands),
        },
        plan.at_most(TURNS).repeats,
    )
    cpu, wall = ratio(found, "evaluation", "bare")
    other = differing(plan.folder / "replays")
    same = f"NOT THE SAME TRAFFIC: {', '.join(other)}" if other else "all counts equal"
    yield Row(
        "g",
        "grid3, morning",
        "evaluation / its episodes by sumo",
        cpu,
        wall=wall,
        note=f"{len(commands)} episodes with trips and emissions, {same}",
        raw=costs(found),
    )


def evaluate(task: Task, controllers: Sequence[str], seeds: int, folder: Path) -> Cost:
    """All of it, by workers that have started; to be run in a child."""
    cores = len(os.sched_getaffinity(0))
    with Evaluator(task, folder / "judging", workers=cores) as evaluator:
        evaluator.run({"fixed": "fixed"}, split=Split.validation, seeds=cores)
        meter = Meter([process.pid for process in psutil.Process().children(recursive=True)])
        evaluator.run(
            {name: name for name in controllers},
            split=Split.test,
            seeds=seeds,
            measure=Measure(emissions=True),
        )
        return meter.read()


def run_all(commands: Sequence[list[str]]) -> Cost:
    """All commands, as many at once as there are cores, but for what it takes to start them."""
    start = run_together([[str(SUMO), "--version"]])
    cores = len(os.sched_getaffinity(0))
    meter = Meter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(run_together, ([command] for command in commands)))
    cost, number = meter.read(), len(commands)
    return cost.without(Cost(start.wall_s * number / cores, start.cpu_s * number))
