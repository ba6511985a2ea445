"""(b) The same episode by sumo-rl, on libsumo and on TraCI, against our environment.

It is not asked for more than its defaults: observation and reward of each signal, and its account
of the traffic, whenever it observes. Under `fixed_ts` its signals follow the programs in SUMO.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import sumo

from bench.cases import CASES, DECISION_S, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import Cost, in_child
from bench.episodes import Counts, Episode, bare_command, costs_of, counts_of, our_episode
from bench.fixed_plan import compare_traffic
from trafficrl.env.task import Task

__all__ = ["measure"]

LIBSUMO, TRACI = "libsumo", "TraCI"


@dataclass(frozen=True, slots=True)
class Setting:
    """What sumo-rl is asked for."""

    case: str
    part_s: float
    """How much of an episode stands for it [s]: on TraCI the whole of a large one takes hours."""
    backends: tuple[str, ...] = (LIBSUMO, TRACI)
    every_s: int = DECISION_S
    """How often it observes; our environment decides every 10 s and looks every 5 s."""
    target: Target | None = None


SETTINGS = (
    Setting("grid3", 1800),
    Setting("cologne1", 900),
    Setting("city36", 1500, (LIBSUMO,), target=Target(4, at_least=True)),
    Setting("city36", 300, (TRACI,), target=Target(15, at_least=True)),
    Setting("city36", 300, every_s=5),  # its default
    Setting("city36", 150, (LIBSUMO,), every_s=1),
)
TURNS = 3
"""On the large city."""


def measure(plan: Plan) -> Iterator[Row]:
    """A row for each setting and backend."""
    for setting in SETTINGS:
        if plan.quick and setting.case != "grid3":
            continue
        case = CASES[setting.case]
        horizon_s = plan.horizon_s(case.whole_s, setting.part_s)
        task = prepare(case, plan.folder, horizon_s=horizon_s)
        command = bare_command(task, plan.folder)
        arguments = peer_arguments(task, command, every_s=setting.every_s)
        subjects = {"ours": partial(in_child, our_episode, task)} | {
            backend: partial(peer_episode, arguments, libsumo=backend == LIBSUMO)
            for backend in setting.backends
        }
        turns = plan.at_most(TURNS) if setting.case == "city36" else plan
        episodes = take_turns(subjects, turns.repeats)
        found = costs_of(episodes)
        for backend in setting.backends:
            cpu, wall = ratio(found, backend, "ours")
            traffic = compare_traffic(episodes["ours"][-1], episodes[backend][-1])
            yield Row(
                "b",
                case.name,
                f"sumo-rl on {backend}, every {setting.every_s} s / environment",
                cpu,
                wall=wall,
                target=setting.target,
                note=f"{horizon_s:g} s, {traffic}",
                raw=costs(found) | {"counts": counts_of(episodes)},
            )


def peer_arguments(task: Task, command: list[str], *, every_s: int) -> str:
    """What sumo-rl needs for the same episode; what it sets by itself is left out."""
    options = dict(zip(command[1::2], command[2::2], strict=True))
    net, routes, seed, teleport_s = (
        options.pop(f"--{name}") for name in ("net-file", "route-files", "seed", "time-to-teleport")
    )
    options.pop("--no-warnings")
    return json.dumps(
        {
            "net": net,
            "routes": routes,
            "seed": int(seed),
            "teleport_s": int(teleport_s),
            "options": [word for pair in options.items() for word in pair],
            "decision_s": every_s,
            "decisions": round(task.end_s / every_s),
        }
    )


def peer_episode(arguments: str, *, libsumo: bool) -> Episode:
    """What it cost and what came of it.

    Raises:
        RuntimeError: sumo-rl failed, or is not there.
    """
    environment = {**os.environ, "SUMO_HOME": sumo.SUMO_HOME}
    environment.pop("LIBSUMO_AS_TRACI", None)
    if libsumo:
        environment["LIBSUMO_AS_TRACI"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "bench.peer_episode", arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"sumo-rl failed: {done.stderr.strip() or done.stdout.strip()}")
    told = json.loads(done.stdout.splitlines()[-1])
    inserted, running, waiting, teleports = told["counts"]
    return Episode(Cost(**told["cost"]), Counts(inserted, running, waiting, teleports))
