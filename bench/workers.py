"""(c) N environments side by side, as a training steps them, against N bare programs at once."""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.cases import CASES, DECISION_S, experiment, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import Cost, Meter, in_child, run_together
from bench.episodes import SEED, bare_command
from bench.plan import plan_action
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.training.processes import ProcessVecEnv

__all__ = ["measure"]

PARTS = {"grid3": 1800.0, "city36": 600.0}
"""Case -> how much of an episode stands for it [s]."""
TURNS = 3
"""On the large city."""
SPEEDUP = Target(1.8, at_least=True)


def measure(plan: Plan) -> Iterator[Row]:
    """Three rows a case: against the bare programs, and how much more N do than one of each."""
    many = max(2, len(os.sched_getaffinity(0)))
    for name, part_s in PARTS.items():
        if plan.quick and name != "grid3":
            continue
        case = CASES[name]
        horizon_s = plan.horizon_s(case.whole_s, part_s)
        task = prepare(case, plan.folder, horizon_s=horizon_s)
        commands = []
        for slot in range(many):
            folder = plan.folder / f"slot-{slot}"
            folder.mkdir(exist_ok=True)
            commands.append(bare_command(task, folder, slot=slot, slots=many))
        subjects = {
            "1 sumo": partial(run_together, commands[:1]),
            "1 worker": partial(in_child, side_by_side, task, 1),
            f"{many} sumo": partial(run_together, commands),
            f"{many} workers": partial(in_child, side_by_side, task, many),
        }
        turns = plan.at_most(TURNS) if name == "city36" else plan
        found = take_turns(subjects, turns.repeats)
        raw, note = costs(found), f"{horizon_s:g} s"
        cpu, wall = ratio(found, f"{many} workers", f"{many} sumo")
        what = f"{many} workers / {many} sumo at once"
        yield Row("c", case.name, what, wall, wall=wall, note=f"{note}, cpu {cpu:.2f} x", raw=raw)
        for one, all_of_them, target in (
            ("1 worker", f"{many} workers", SPEEDUP if many == 2 else None),
            ("1 sumo", f"{many} sumo", None),
        ):
            _, longer = ratio(found, all_of_them, one)
            what = f"{all_of_them}: episodes a second, of {one}"
            yield Row("c", case.name, what, many / longer, target=target, note=note, raw=raw)


def side_by_side(task: Task, number: int) -> Cost:
    """An episode of so many environments, each in its process; to be run in a child.

    From reset to the last decision but one: the last would begin the next episode.
    """
    execution = experiment().execution
    with tempfile.TemporaryDirectory() as folder:
        makers = [
            partial(TrafficSignalEnv, task, seed=SEED, slot=slot, slots=number)
            for slot in range(number)
        ]
        envs = ProcessVecEnv(makers, execution, Path(folder))
        envs.reset()  # as in a training, SUMO has been loaded before
        meter = Meter(workers=envs.process_ids)
        envs.reset()
        for decision in range(round(task.end_s / DECISION_S) - 1):
            envs.step(np.stack([plan_action(task.network, decision)] * number))
        cost = meter.read()
        envs.close()
    return cost
