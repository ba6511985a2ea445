"""What each layer of our environment costs beside bare SUMO, counted in instructions.

Wall times on a shared machine swing by half; instruction counts repeat. Each layer runs twice
under valgrind, to two horizons, and the difference is what the seconds between them cost: start-up,
imports and loading are the same in both and cancel. That bare SUMO and our driver drive the same
trips is checked first.

    python -m bench.instructions --case grid3 cologne1
"""

import os
import pickle
import re
import shutil
import subprocess
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.cases import CASES, experiment, prepare
from bench.cost import in_child
from bench.layers import LAYERS, Drive, layer_command
from bench.report import save_values

__all__ = ["BARE", "PARTS", "Part", "count_layers", "has_valgrind", "main"]

BARE = "sumo"
QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
"""One thread, and dictionaries that lie the same in every run."""
TOLD = re.compile(r"(?:Collected :|I +refs:) +([\d,]+)")


@dataclass(frozen=True, slots=True)
class Part:
    """Which seconds of an episode are counted."""

    from_s: float
    until_s: float
    limit: float
    """Most that the environment may need, by what bare SUMO needs."""


PARTS = {
    "grid3": Part(300, 1500, 1.25),
    "cologne1": Part(900, 1800, 1.25),
    "city36": Part(900, 1200, 1.10),
    "grid6_realistic": Part(900, 1200, 1.10),
}


def has_valgrind() -> bool:
    """Whether instructions can be counted here."""
    return shutil.which("valgrind") is not None


def count(command: Sequence[str], tool: str) -> int:
    """Instructions that a command executes.

    Raises:
        RuntimeError: it failed under valgrind.
    """
    options = [f"--tool={tool}", "--cache-sim=no", f"--{tool}-out-file=/dev/null"]
    done = subprocess.run(
        ["valgrind", *options, *command],
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    found = TOLD.search(done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{' '.join(command)} under valgrind: {done.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def count_layers(
    drive: Drive, part: Part, layers: Sequence[str], *, tool: str = "cachegrind", jobs: int
) -> dict[str, int]:
    """Layer -> instructions between the two times, after a look whether all drive the same trips.

    Args:
        drive: what is driven; its folder is to be new.
        part: the two times.
        layers: of `LAYERS`.
        tool: of valgrind; `cachegrind` counts the same as `callgrind` in less time.
        jobs: how many are counted side by side.

    Raises:
        RuntimeError: bare SUMO and our driver drive other trips, or one failed under valgrind.
    """
    drive.folder.mkdir(parents=True, exist_ok=True)
    in_child(Drive.check, drive, part.until_s)
    file = drive.folder / "drive.pickle"
    file.write_bytes(pickle.dumps(drive))
    todo = [(layer, at_s) for at_s in (part.until_s, part.from_s) for layer in layers]

    def work(job: tuple[str, float]) -> int:
        return count(layer_command(job[0], drive, file, job[1]), tool)

    with ThreadPoolExecutor(jobs) as pool:
        found = dict(zip(todo, pool.map(work, todo), strict=True))
    return {layer: found[layer, part.until_s] - found[layer, part.from_s] for layer in layers}


def count_case(
    name: str, part: Part, layers: Sequence[str], given: Namespace, folder: Path
) -> dict[str, Any]:
    """What the file keeps of a case, which is also told."""
    case = CASES[name]
    task = prepare(case, folder, horizon_s=case.whole_s)
    if given.default_features:
        task = replace(task, observation=experiment(*case.overrides).algorithm.observation)
    drive = Drive(task, folder / "drive")
    counts = count_layers(drive, part, layers, tool=given.tool, jobs=given.jobs)
    print(f"{case.name}, {part.from_s:g} to {part.until_s:g} s, limit {part.limit:.2f}")
    for layer, number in counts.items():
        print(f"    {layer:20}{number / 1e6:12.1f} M {number / counts[BARE]:8.3f}", flush=True)
    features = "default" if given.default_features else "all"
    return {"case": case.name, "features": features, **asdict(part), "instructions": counts}


def main(arguments: Sequence[str] | None = None) -> None:
    """Count, print and save."""
    parser = ArgumentParser("python -m bench.instructions", description=__doc__.split("\n")[0])
    parser.add_argument("--case", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--layer", nargs="+", choices=LAYERS, default=list(LAYERS))
    parser.add_argument(
        "--default-features", action="store_true", help="see what the default algorithm sees"
    )
    parser.add_argument("--from-s", type=float, help="first horizon, after the begin [s]")
    parser.add_argument("--until-s", type=float, help="second horizon [s]")
    parser.add_argument("--tool", choices=("callgrind", "cachegrind"), default="callgrind")
    parser.add_argument("--jobs", type=int, default=1, help="side by side")
    parser.add_argument("--output", type=Path, default=Path("outputs/bench"), help="folder")
    given = parser.parse_args(arguments)
    if not has_valgrind():
        parser.error("there is no valgrind here (apt-get install valgrind)")
    layers = list(dict.fromkeys([BARE, *given.layer]))
    results = []
    for name in given.case:
        usual = PARTS[name]
        part = Part(given.from_s or usual.from_s, given.until_s or usual.until_s, usual.limit)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            results.append(count_case(name, part, layers, given, Path(folder)))
    options = {"tool": given.tool}
    values = {"options": options, "cases": results}
    print(save_values(values, given.output, kind="instructions"))


if __name__ == "__main__":
    main()
