"""(j) The same episode by SUMO's mesoscopic model, against its microscopic one."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bench.cases import CASES, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import in_child
from bench.episodes import costs_of, counts_of, our_episode
from trafficrl.config.execution import Simulator

__all__ = ["measure"]

PARTS = {"grid3": (1800.0, None), "city36": (900.0, Target(0.1))}
"""Case -> how much of an episode stands for it [s], and what is to be reached."""
TURNS = 3


def measure(plan: Plan) -> Iterator[Row]:
    """A row a case: traffic by other rules, so only the order of magnitude means something."""
    for name, (part_s, target) in PARTS.items():
        if plan.quick and name != "grid3":
            continue
        case = CASES[name]
        horizon_s = plan.horizon_s(case.whole_s, part_s)
        task = prepare(case, plan.folder, horizon_s=horizon_s)
        subjects = {
            model.name: partial(in_child, our_episode, replace(task, simulator=model))
            for model in Simulator
        }
        episodes = take_turns(subjects, plan.at_most(TURNS).repeats)
        found = costs_of(episodes)
        cpu, wall = ratio(found, Simulator.meso.name, Simulator.micro.name)
        arrived = {model: runs[-1].counts.arrived for model, runs in episodes.items()}
        yield Row(
            "j",
            case.name,
            "environment, mesoscopic / microscopic",
            cpu,
            wall=wall,
            target=target,
            note=f"{horizon_s:g} s, arrived: {arrived}",
            raw=costs(found) | {"counts": counts_of(episodes)},
        )
