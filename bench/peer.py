"""(b) The same episode by sumo-rl, on libsumo and on TraCI, against our environment.

It is not asked for more than its defaults: observation and reward of each signal, and its account
of the traffic, at every decision. Under `fixed_ts` its signals follow the programs that SUMO has.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import sumo

from bench.cases import CASES, DECISION_S, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import Cost, in_child
from bench.episodes import Counts, Episode, bare_command, costs_of, counts_of, our_episode
from bench.fixed_plan import compare_traffic
from trafficrl.env.task import Task

__all__ = ["measure"]

PARTS = {"grid3": 1800.0, "cologne1": 900.0, "city36": 600.0}
"""Case -> how much of an episode stands for it [s]: on TraCI the whole of a large one takes an
hour."""
LIBSUMO, TRACI = "sumo-rl on libsumo", "sumo-rl on TraCI"
TARGETS = {
    ("city36", LIBSUMO): Target(4, at_least=True),
    ("city36", TRACI): Target(15, at_least=True),
}


def measure(plan: Plan) -> Iterator[Row]:
    """Two rows a case."""
    for name, part_s in PARTS.items():
        if plan.quick and name != "grid3":
            continue
        case = CASES[name]
        horizon_s = plan.horizon_s(case.whole_s, part_s)
        task = prepare(case, plan.folder, horizon_s=horizon_s)
        arguments = peer_arguments(task, bare_command(task, plan.folder))
        episodes = take_turns(
            {
                "ours": partial(in_child, our_episode, task),
                LIBSUMO: partial(peer_episode, arguments, libsumo=True),
                TRACI: partial(peer_episode, arguments, libsumo=False),
            },
            plan.repeats,
        )
        found = costs_of(episodes)
        for which in (LIBSUMO, TRACI):
            cpu, wall = ratio(found, which, "ours")
            traffic = compare_traffic(episodes["ours"][-1], episodes[which][-1])
            yield Row(
                "b",
                case.name,
                f"{which} / environment",
                cpu,
                wall=wall,
                target=TARGETS.get((name, which)),
                note=f"{horizon_s:g} s, {traffic}",
                raw=costs(found) | {"counts": counts_of(episodes)},
            )


def peer_arguments(task: Task, command: list[str]) -> str:
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
            "decision_s": DECISION_S,
            "decisions": round(task.end_s / DECISION_S),
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
