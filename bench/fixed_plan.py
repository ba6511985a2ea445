"""(a) One episode under a fixed plan: the bare program against our environment.

Where valgrind is there, instructions decide, of a later part of the episode: they repeat, which
times on a machine that others use too do not.
"""

import os
from collections.abc import Iterator
from functools import partial

from bench.cases import CASES, Case, prepare
from bench.compare import Plan, Row, Target, costs, ratio, take_turns
from bench.cost import in_child
from bench.episodes import (
    Episode,
    bare_command,
    bare_episode,
    costs_of,
    counts_of,
    our_episode,
)
from bench.instructions import BARE, Part, count_layers, has_valgrind
from bench.layers import Drive

__all__ = ["compare_episodes", "compare_traffic", "measure"]

PARTS = {
    "grid3": (1800.0, Part(300, 1500, 1.25)),
    "cologne1": (3600.0, Part(900, 1800, 1.25)),
    "city36": (900.0, Part(600, 720, 1.10)),
    "grid6_realistic": (900.0, Part(600, 720, 1.10)),
}
"""Case -> how much of an episode stands for its times [s], and the part that is counted."""
TURNS = 3
"""Times of the large cities say less than their counts, and take minutes."""
SAME = 0.01
"""Both count as the same traffic where no count differs by more than this share of the vehicles."""


def measure(plan: Plan) -> Iterator[Row]:
    """Two rows a case: instructions, if they can be counted, and times."""
    counting = has_valgrind() and not plan.quick
    for name, (part_s, part) in PARTS.items():
        if plan.quick and name != "grid3":
            continue
        case, target = CASES[name], Target(part.limit)
        if counting:
            task = prepare(case, plan.folder, horizon_s=case.whole_s)
            yield compare_instructions(case, Drive(task, plan.folder / f"counted-{name}"), part)
        yield compare_episodes(
            "a",
            case,
            plan.at_most(TURNS) if case.whole_s > part_s else plan,
            horizon_s=plan.horizon_s(case.whole_s, part_s),
            target=None if counting else target,
        )


def compare_instructions(case: Case, drive: Drive, part: Part) -> Row:
    """Our environment by the bare program, of the seconds between two horizons."""
    cores = len(os.sched_getaffinity(0))
    counts = count_layers(drive, part, (BARE, "environment"), jobs=cores)
    return Row(
        "a",
        case.name,
        "environment / sumo, instructions",
        counts["environment"] / counts[BARE],
        target=Target(part.limit),
        note=f"{part.from_s:g} to {part.until_s:g} s, {counts[BARE] / 1e6:,.0f} M by sumo",
        raw=dict(counts),
    )


def compare_episodes(
    letter: str, case: Case, plan: Plan, *, horizon_s: float, target: Target | None
) -> Row:
    """Our environment by the bare program on the same traffic."""
    task = prepare(case, plan.folder, horizon_s=horizon_s)
    command = bare_command(task, plan.folder)
    episodes = take_turns(
        {"bare": partial(bare_episode, command), "ours": partial(in_child, our_episode, task)},
        plan.repeats,
    )
    found = costs_of(episodes)
    ours, bare = episodes["ours"][-1], episodes["bare"][-1]
    cpu, wall = ratio(found, "ours", "bare")
    return Row(
        letter,
        case.name,
        "environment / sumo",
        cpu,
        wall=wall,
        target=target,
        note=f"{horizon_s:g} s, {compare_traffic(ours, bare)}",
        raw=costs(found) | {"command": command, "counts": counts_of(episodes)},
    )


def compare_traffic(one: Episode, other: Episode) -> str:
    """Whether the same vehicles did the same in both."""
    a, b = one.counts, other.counts
    if a == b:
        return f"both {a.arrived} arrived, all counts equal"
    apart = max(abs(a.arrived - b.arrived), abs(a.running - b.running), abs(a.waiting - b.waiting))
    same = apart <= SAME * max(b.inserted + b.waiting, 1)
    told = f"{a.arrived} arrived, {b.arrived} in the other"
    return told if same else f"NOT THE SAME TRAFFIC: {told}"
