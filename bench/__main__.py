"""make bench ARGS='--only a,b --quick': what lies between SUMO and the optimiser, as ratios."""

import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    fixed_plan,
    generation,
    growth,
    judging,
    memory,
    mesoscopic,
    peer,
    resets,
    training,
    workers,
)
from bench.compare import Plan, Row
from bench.report import machine, print_rows, save_rows

__all__ = ["MEASURES", "main"]

MEASURES: dict[str, tuple[str, Callable[[Plan], Iterator[Row]]]] = {
    "a": ("one episode, bare sumo and our environment", fixed_plan.measure),
    "b": ("the same by sumo-rl, on libsumo and on TraCI", peer.measure),
    "c": ("environments side by side, and as many bare sumo", workers.measure),
    "d": ("where a training's wall time goes", training.measure),
    "e": ("reset, and SUMO's own load", resets.measure),
    "f": ("network and demand, cold and cached", generation.measure),
    "g": ("an evaluation, and its episodes by bare sumo", judging.measure),
    "h": ("(a) by signals and vehicles", growth.measure),
    "i": ("memory over 200 episodes", memory.measure),
    "j": ("the mesoscopic model, and the microscopic", mesoscopic.measure),
}
"""Letter -> what it measures, and how."""


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and save."""
    parser = ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="turns that each has")
    parser.add_argument("--only", default=",".join(MEASURES), help="letters, such as a,b")
    parser.add_argument("--quick", action="store_true", help="smallest cases, shortened, one turn")
    parser.add_argument("--full", action="store_true", help="whole episodes: hours")
    parser.add_argument("--output", type=Path, default=Path("outputs/bench"), help="folder")
    given = parser.parse_args(arguments)
    letters = given.only.split(",")
    if unknown := sorted(set(letters) - set(MEASURES)):
        told = ", ".join(f"{letter} ({text})" for letter, (text, _) in MEASURES.items())
        parser.error(f"--only: no measure {', '.join(unknown)}; choices: {told}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        repeats = 1 if given.quick else given.repeats
        plan = Plan(Path(folder), repeats=repeats, quick=given.quick, full=given.full)
        for letter in letters:
            rows += measured(letter, plan)
    print(f"\n{machine()}\n")
    print_rows(rows)
    options = {"repeats": repeats, "quick": given.quick, "full": given.full}
    print(f"\n{save_rows(rows, given.output, options)}")


def measured(letter: str, plan: Plan) -> list[Row]:
    """The rows of one measure; each is told as it comes."""
    text, measure = MEASURES[letter]
    print(f"({letter}) {text} ...", file=sys.stderr, flush=True)
    begin, rows = time.perf_counter(), []
    for row in measure(plan):
        rows.append(row)
        print(f"    {row.case}: {row.what} {row.value:.3f} {row.unit}", file=sys.stderr, flush=True)
    print(f"    {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
