"""trafficrl-report: one page for a whole study, also while its runs go on.

Shows where each run stands, learning curves over seeds, what differs between the runs and what was
best, the comparison with the baselines, and the queues in the network over time. Folders of
`trafficrl-evaluate` below the given ones join the comparison; where they judged models of the
trainings elsewhere, as on another city, those count over training seeds too.

With --watch the page is written anew until all runs have ended or Ctrl-C; open it once in a
browser, it loads itself anew and stays where you were. A sweep that trains one run after the other
has ended when a minute (or two intervals, if longer) went by without another run.

exit code: 0 (Ctrl-C on --watch too), 1 a run or the page cannot be read or written, 2 wrong usage
"""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from trafficrl.app.arguments import command_parser, exit_codes, seconds
from trafficrl.app.status import View
from trafficrl.app.status_table import Row, cells_of, percent_done, summary
from trafficrl.errors import ConfigError, RunError
from trafficrl.evaluation.report.page import save_study
from trafficrl.evaluation.report.study import Progress, StudyReader
from trafficrl.evaluation.report.study_runs import find_judgements
from trafficrl.runs.conditions import Condition

__all__ = ["main", "run"]

COMMAND = "trafficrl-report"
PAGE = "study.html"
SWEEP = "multirun.yaml"
"""Lies in the folder of a sweep from its first job on."""
SEVERAL = Path("outputs/report") / PAGE
INTERVAL_S = 30.0
NEXT_JOB_S = 60.0
"""Between two jobs of a sweep in one process hardly a second goes by."""
GOING_ON = {
    Condition.running,
    Condition.elsewhere,
    Condition.silent,
    Condition.pending,
    Condition.submitted,
}
HEADINGS = {
    "job": "job",
    "steps/s": "speed [steps/s]",
    "left": "time left",
    "last": "last score",
    "best": "best score",
    "crashes": "crashes",
    "saved": "checkpoint age",
    "resumes": "resumes",
    "CPU": "CPU",
    "memory": "memory",
    "GPU": "GPU",
    "updated": "updated, ago",
}
"""Column of `trafficrl-status` -> its heading here."""
RARE = ("crashes", "resumes")
"""Worth a column where there are some."""
Roots = list[tuple[Path, str]]


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


@exit_codes(COMMAND)
def run(words: Sequence[str]) -> int:
    """The command has run on these arguments; the exit code is returned."""
    arguments = _arguments(words)
    folders: list[Path] = arguments.folders
    roots = [(folder, "" if len(folders) == 1 else str(folder)) for folder in folders]
    page: Path = arguments.output or (folders[0] / PAGE if len(folders) == 1 else SEVERAL)
    command = shlex.join([COMMAND, *words])
    reader = StudyReader(roots, page, baseline=arguments.baseline, command=command)
    view = View(roots)
    if arguments.watch is None:
        write(view, reader, page, roots, refresh_s=0.0)
    else:
        watch(view, reader, page, roots, arguments.watch)
    return 0


def watch(view: View, reader: StudyReader, page: Path, roots: Roots, interval_s: float) -> None:
    """The page is up to date until all runs have ended, or Ctrl-C; then it stands still.

    Raises:
        RunError: it cannot be written.
        ConfigError: nobody judged the baseline.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        pressed = None
        while pressed is None and write(view, reader, page, roots, refresh_s=interval_s):
            pressed = signal.sigtimedwait([signal.SIGINT], interval_s)
        write(view, reader, page, roots, refresh_s=0.0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def write(view: View, reader: StudyReader, page: Path, roots: Roots, *, refresh_s: float) -> bool:
    """The page shows the study as it stands; whether any of its runs goes on is returned.

    Raises:
        RunError: there is nothing to show, or the page cannot be written.
        ConfigError: nobody judged the baseline.
    """
    rows, trouble = view.look()
    judgements = len(find_judgements(roots))
    if not rows and not refresh_s and not judgements:
        raise RunError(f"no run lies below {', '.join(str(root) for root, _ in roots)}")
    told = summary([row.run for row in rows])
    if judgements:
        told += f"; {judgements} evaluation{'s' * (judgements != 1)}"
    told += f"; {trouble}" if trouble else ""
    save_study(reader.read(progress(rows), summary=told, refresh_s=refresh_s), page)
    print(f"{page}: {told}", flush=True)
    return not rows or goes_on(rows, quiet_s=max(NEXT_JOB_S, 2 * refresh_s))


def goes_on(rows: Sequence[Row], *, quiet_s: float) -> bool:
    """A run goes on, or another may begin: Hydra's own launcher makes no folder before its turn.

    Args:
        rows: the runs as they stand.
        quiet_s: a sweep of which nothing was heard for so long has ended [s].
    """
    if any(row.run.condition in GOING_ON for row in rows):
        return True
    late = [
        row.run.folder
        for row in rows
        if not row.run.cluster  # else its job is there, and says that it waits
        and row.run.updated is not None
        and (row.now - row.run.updated).total_seconds() < quiet_s
    ]
    return any((place / SWEEP).is_file() for folder in late for place in folder.parents)


def progress(rows: Sequence[Row]) -> list[Progress]:
    """The rows of `trafficrl-status` for the page."""
    cells = cells_of(rows)
    steps = cells.get("steps", [""] * len(rows))
    columns = {
        HEADINGS[name]: texts
        for name, texts in cells.items()
        if name in HEADINGS and not (name in RARE and set(texts) <= {"", "0"})
    }
    return [
        Progress(
            row.run,
            percent_done(row.run),
            steps[i],
            {heading: texts[i] for heading, texts in columns.items()},
        )
        for i, row in enumerate(rows)
    ]


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The checked command line.

    Raises:
        ConfigError: wrong usage.
    """
    parser = command_parser(COMMAND, __doc__)
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="FOLDER", help="such as multirun/DATE/TIME")
    add("--output", type=Path, metavar="FILE", help=f"the page (FOLDER/{PAGE}; or {SEVERAL})")
    add("--baseline", metavar="NAME", help="controller that the others are compared with")
    add(
        "--watch",
        nargs="?",
        type=seconds(1.0),
        const=INTERVAL_S,
        metavar="SECONDS",
        help=f"write the page anew so often ({INTERVAL_S:g}) until all runs have ended",
    )
    arguments = parser.parse_args(list(words))
    for folder in arguments.folders:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}")
    if arguments.output is not None and arguments.output.is_dir():
        raise ConfigError(f"--output names a file, and {arguments.output} is a folder")
    return arguments


if __name__ == "__main__":
    main()
