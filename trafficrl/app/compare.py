"""trafficrl-compare: all judged controllers of some runs in one table and one page.

With --database alone: what it holds, each version and option set of SUMO apart.

0  done, or the two trainings agree      3  they do not
1  a run cannot be read                  2  wrong usage
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from trafficrl.app.arguments import command_parser, exit_codes
from trafficrl.errors import ConfigError
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.report.agreement import (
    check_agreement,
    configured_differently,
    unshared_seeds,
)
from trafficrl.evaluation.report.held import holds_episodes, print_held
from trafficrl.evaluation.report.others import find_others
from trafficrl.evaluation.report.page import save_report
from trafficrl.evaluation.report.report import build_report
from trafficrl.evaluation.report.run_folder import read_runs
from trafficrl.evaluation.report.sections import Section, build_sections
from trafficrl.evaluation.tables import print_comparison

__all__ = ["agree", "main", "run"]

COMMAND = "trafficrl-compare"
DISAGREE = 3
OUTPUT = Path("outputs/report")


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


@exit_codes(COMMAND)
def run(words: Sequence[str]) -> int:
    """The command has run on these arguments; the exit code is returned."""
    arguments = _arguments(words)
    if not arguments.runs:
        print_held(EvaluationDatabase(arguments.database))
        return 0
    if arguments.tolerance is not None:
        return agree(arguments.runs, arguments.tolerance)
    command = shlex.join([COMMAND, *words])
    compare(arguments.runs, arguments.baseline, arguments.database, arguments.output, command)
    return 0


def compare(
    folders: Sequence[Path],
    baseline: str | None,
    database: Path | None,
    output: Path,
    command: str,
) -> None:
    """The tables are printed, and the report lies in the output folder.

    Raises:
        ConfigError: nobody judged the baseline.
        RunError: a run or the database cannot be read, or the report not be written.
    """
    runs = read_runs(folders)
    others, notes = find_others(runs, EvaluationDatabase(database)) if database else ([], [])
    sections = build_sections(runs, baseline=baseline, others=others)
    report = build_report(runs, sections, command=command, notes=notes)
    for line in report.warnings:
        print(f"note: {line}")
    for section in sections:
        _print(section, several=len(sections) > 1)
    print(f"report: {save_report(report, output)}")


def _print(section: Section, *, several: bool) -> None:
    for note in section.notes:
        print(f"note: {note}")
    comparison = section.comparison
    episodes = comparison.num_episodes(comparison.baseline)
    named = f"{section.name}, " if len(section.scenarios) == 1 else ""
    whose = section.whose if several else ""
    many = f"{episodes} test episode{'s' if episodes > 1 else ''}"
    print_comparison(comparison, f"{named}{section.build.name}, {many}{whose}")


def agree(folders: Sequence[Path], tolerance: float, *, times: bool = True) -> int:
    """Each value of both trainings is printed; the exit code says whether they agree.

    How they were configured decides nothing: where it differs, a line names the keys. Another tells
    where one was judged on test seeds that the other lacks.

    Args:
        folders: of the two.
        tolerance: largest difference as a share of the first's value.
        times: whether a step may not take longer either.

    Raises:
        RunError: a run cannot be read or holds no training.
    """
    first, second = read_runs(folders)
    checks = check_agreement(first, second, tolerance=tolerance, times=times)
    for line in unshared_seeds(first, second):
        print(f"note: {line}")
    keys = configured_differently(first, second)
    if keys:
        print(f"note: {second.name} was configured differently: {keys}")
    for check in checks:
        print(check)
    failed = sum(not check.agrees for check in checks)
    also = "; it was configured differently: see the note" if keys else ""
    if failed:
        found = f"does not agree with {first.name}: {failed} of {len(checks)} differ"
    else:
        found = f"agrees with {first.name} within {tolerance:.3g} in all {len(checks)}"
    print(f"{second.name} {found}{also}")
    return DISAGREE if failed else 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The checked command line.

    Raises:
        ConfigError: wrong usage.
    """
    parser = command_parser(COMMAND, __doc__)
    add = parser.add_argument
    add("runs", nargs="*", type=Path, metavar="RUN", help="folder of a training or an evaluation")
    add("--baseline", metavar="NAME", help="controller that the others are compared with")
    add("--output", type=Path, metavar="FOLDER", help=f"where the report goes ({OUTPUT})")
    add(
        "--database",
        type=Path,
        metavar="FOLDER",
        help="also show controllers that met the same episodes in other runs",
    )
    add(
        "--tolerance",
        type=_share,
        metavar="5%",
        help="instead: do two trainings agree within that share?",
    )
    arguments = parser.parse_args(list(words))
    _check(arguments)
    arguments.output = arguments.output or OUTPUT
    return arguments


def _check(arguments: argparse.Namespace) -> None:
    if arguments.database and not arguments.database.is_dir():
        raise ConfigError(f"--database: there is no folder {arguments.database}")
    if arguments.database and not holds_episodes(arguments.database):
        raise ConfigError(f"--database: {arguments.database} holds no episodes")
    if not arguments.runs:
        if not arguments.database:
            raise ConfigError(f"name a RUN, or --database FOLDER; see {COMMAND} --help")
        for name in ("baseline", "output", "tolerance"):
            if getattr(arguments, name) is not None:
                raise ConfigError(f"--{name} needs a RUN")
    if arguments.tolerance is None:
        return
    if len(arguments.runs) != 2:
        raise ConfigError(f"--tolerance compares two runs, got {len(arguments.runs)}")
    for name in ("baseline", "output", "database"):
        if getattr(arguments, name):
            raise ConfigError(f"--{name} has no meaning beside --tolerance")


def _share(text: str) -> float:
    """`5%` or `0.05`."""
    try:
        value = float(text[:-1]) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"write a share such as 5% or 0.05, got {text!r}")
    return value


if __name__ == "__main__":
    main()
