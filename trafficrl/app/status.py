"""trafficrl-status: where all runs below some folders stand.

A live table on a terminal until Ctrl-C, plain lines elsewhere.

states:
  running    its process lives on this host, or the queue says that its job runs
  running?   it says so, on another host; silent once it has written nothing for 10 minutes
  gone       it says that it runs, but its process or job does not live any more
  finished, stopped, failed    as it said itself; the note is its reason
  pending    its job waits in the queue, for the first time or again; the note says for what
  cancelled  its job was cancelled before it began; the note says which run before it failed
  lost       nothing was written, and the queue does not know its job any more
  submitted  nothing was written, and the queue cannot be asked
  unknown    run.json has no status that this version knows
  damaged    run.json, job.json or a folder cannot be read

--json prints {"format": 1, "time", "host", "queue", "runs": [...]}; "queue" says why the queue told
nothing; each run has these keys, null where nothing is known:
  name, folder, state, note, host, pid, started, updated    (ISO 8601 times)
  timesteps, total_timesteps, percent, steps_per_s, eta_s (when last updated), last_score,
  best_score, crashes, resumes, last_checkpoint, last_checkpoint_age_s
  cpu_percent (100 is one core), memory_bytes, gpu_percent, gpu_memory_bytes
                                           (of its process and all below it, on this host)
  cluster ("slurm" or "local"), job (its number), submitted, after (folder of the run before), log
  queue_state, queue_reason (Slurm's words), requeues, start_expected

exit code: 0 (Ctrl-C on a live table too), 2 for wrong usage, 130 interrupted, 141 cut by | head
"""

import argparse
import json
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from trafficrl.app.arguments import command_parser, exit_codes, seconds
from trafficrl.app.status_table import Row, percent_done, plain_lines, terminal_table
from trafficrl.errors import ConfigError
from trafficrl.runs.conditions import Condition
from trafficrl.runs.joined import join_queue, queue_trouble
from trafficrl.runs.queue import Queue
from trafficrl.runs.states import read_states
from trafficrl.runs.usage import UsageMeter

__all__ = ["View", "main", "run"]

COMMAND = "trafficrl-status"
FORMAT = 1
USUAL_FOLDERS = ("outputs", "multirun")
INTERVAL_S = 2.0
USAGE = ("cpu_percent", "memory_bytes", "gpu_percent", "gpu_memory_bytes")
Roots = list[tuple[Path, str]]


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


@exit_codes(COMMAND)
def run(words: Sequence[str]) -> int:
    """The command has run on these arguments; the exit code is returned."""
    arguments = _arguments(words)
    view = View(_roots(arguments.folders))
    if arguments.json:
        print(json.dumps(document(*view.look()), indent=2, allow_nan=False))
    elif not sys.stdout.isatty() or Console().is_dumb_terminal:
        print("\n".join(plain_lines(*view.look())))
    elif arguments.once:
        console = _console()
        console.print(terminal_table(*view.look(), console.width, None))
    else:
        watch(view, arguments.interval)
    return 0


class View:
    """The runs below some folders, looked at time and again.

    Args:
        roots: the folders, and what stands before the names of their runs.
    """

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._meter = UsageMeter()
        self._queue = Queue()

    def look(self) -> tuple[list[Row], str]:
        """A row for each run as it stands now, and why the queue told nothing, if so."""
        now = datetime.now(timezone.utc)
        runs = join_queue(read_states(self._roots, now), self._queue, now)
        here = socket.gethostname()
        running = [run for run in runs if run.condition is Condition.running and run.host == here]
        pids = {run.folder: run.pid or 0 for run in running}
        usage = self._meter.read(pids.values())
        rows = [Row(run, usage.get(pids.get(run.folder, 0)), now) for run in runs]
        return rows, queue_trouble(runs, self._queue)


def watch(view: View, interval_s: float) -> None:
    """The table on the terminal is up to date, until Ctrl-C.

    That is waited for: as an exception it could come inside some `__del__`, and be lost there.
    """
    console = _console()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        with Live(console=console, auto_refresh=False) as live:
            pressed = None
            while pressed is None:
                table = terminal_table(*view.look(), console.width, console.height)
                live.update(table, refresh=True)
                pressed = signal.sigtimedwait([signal.SIGINT], interval_s)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def document(rows: Sequence[Row], trouble: str) -> dict[str, Any]:
    """What --json prints."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    head = {"format": FORMAT, "time": now, "host": socket.gethostname(), "queue": trouble or None}
    return head | {"runs": [_facts(row) for row in rows]}


def _facts(row: Row) -> dict[str, Any]:
    run = row.run
    facts = asdict(run)
    state = facts.pop("condition").value
    saved = run.last_checkpoint
    age_s = None if saved is None else max((row.now - saved).total_seconds(), 0.0)
    usage = dict.fromkeys(USAGE) if row.usage is None else asdict(row.usage)
    facts |= {key: value.isoformat() for key, value in facts.items() if type(value) is datetime}
    folder = run.folder.absolute()
    facts |= {
        "folder": str(folder),
        "percent": percent_done(run),
        "after": run.after and str(run.after),
        "log": run.log and str(folder / run.log),
    }
    return {"state": state} | facts | {"last_checkpoint_age_s": age_s} | usage


def _roots(folders: Sequence[Path]) -> Roots:
    """The folders to look through, and what stands before the names of their runs.

    Raises:
        ConfigError: a folder is not there.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}")
    if len(folders) == 1:
        return [(folders[0], "")]
    found = folders or [Path(name) for name in USUAL_FOLDERS if Path(name).is_dir()]
    if not found:
        raise ConfigError(f"there is no folder {' or '.join(USUAL_FOLDERS)} here: name one")
    return [(folder, str(folder)) for folder in found]


def _console() -> Console:
    return Console(markup=False, emoji=False, highlight=False)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    """The checked command line.

    Raises:
        ConfigError: wrong usage.
    """
    parser = command_parser(COMMAND, __doc__)
    add = parser.add_argument
    usual = " and ".join(USUAL_FOLDERS)
    add("folders", nargs="*", type=Path, metavar="FOLDER", help=f"where to look ({usual})")
    add("--once", action="store_true", help="on a terminal too: show it once, then leave")
    add("--json", action="store_true", help="one JSON document")
    add(
        "--interval",
        type=seconds(0.1),
        default=INTERVAL_S,
        metavar="SECONDS",
        help=f"how often a live table is read anew ({INTERVAL_S:g})",
    )
    return parser.parse_args(list(words))


if __name__ == "__main__":
    main()
