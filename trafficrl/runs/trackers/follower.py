"""The process of one tracker: tells it what stands in a run folder, until the run's process ends.

It hears that from its standard input, which is closed then, however that process ended. What it
has to say itself it prints as JSON, a line for each message; what the tracker's package prints goes
to `trackers/NAME.log`. The training never waits for it, and draws nothing from what it does.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any, TextIO

import yaml

from trafficrl.errors import CheckpointError, RunError
from trafficrl.runs.lock import RunLock
from trafficrl.runs.metrics_rows import MetricsRows, Row
from trafficrl.runs.metrics_summary import summarise
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunStatus, read_record
from trafficrl.runs.sidecars import sidecar_file, verify_model
from trafficrl.runs.trackers.installed import FOLLOWERS
from trafficrl.runs.trackers.kept import Kept, load_kept, save_kept
from trafficrl.runs.trackers.tracker import Ending, TrackedRun

__all__ = ["IGNORED", "MOST_S", "Follower", "main"]

POLL_S = 1.0
AGAIN_S = 30.0
"""After something has failed, until it is tried again."""
MOST_S = 60
"""For all that is left to do when the run's process has ended."""
MARGIN_S = 10
"""In which the run's process, if it still is, ends this one itself, and says so."""
LONGEST = 160
"""Of what is said of an error; all of it is in the log."""
NICENESS = 10
"""Where processors are few the training goes first."""
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
"""A terminal and Slurm send them to all of a job; it is for the training to say what they mean."""


class Follower:
    """Tells a tracker about a run.

    Args:
        folder: of the run.
        name: of the tracker.
        config: SHA-256 of the configuration.
        goes_on: the training goes on from a checkpoint. One that begins anew with another
            configuration is another run for the tracker too.
        say: gets a level and a message.
    """

    def __init__(
        self, folder: Path, name: str, config: str, goes_on: bool, say: Callable[[str, str], None]
    ) -> None:
        self._paths = RunPaths(folder)
        self._paths.trackers.mkdir(exist_ok=True)
        self._tracker = FOLLOWERS[name]()
        self._kept_file = self._paths.trackers / f"{name}.json"
        self._lock = RunLock(self._paths.trackers / f".{name}.lock")
        self._config = config
        self._goes_on = goes_on
        self._say = say
        self._rows = MetricsRows(self._paths.metrics)
        self._waiting: deque[Row] = deque()
        self._locked = self._begun = self._warned = False

    def follow(self, ended: Callable[[], bool]) -> None:
        """Everything is told, or as much as could be; `ended` waits a moment and answers."""
        again = 0.0
        while not ended():
            if time.monotonic() >= again and not self._tried(self._catch_up):
                again = time.monotonic() + AGAIN_S
        if not (self._tried(self._catch_up) and self._begun and self._tried(self._end)):
            self._say("info", "the run has ended, and not all of it was told")

    def _tried(self, part: Callable[[], None]) -> bool:
        try:
            part()
        except Exception as error:  # noqa: BLE001 - no trouble of a tracker is the training's
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            if not self._warned:
                line = shorten(f"{type(error).__name__}: {error}", LONGEST, placeholder="...")
                self._say("warning", f"{line}; the training goes on, and it is tried again")
            self._warned = True
            return False
        return True

    def _catch_up(self) -> None:
        if not self._locked:
            try:  # of a process that was killed the follower may still be at work here
                self._lock.__enter__()
            except RunError:
                return
            self._locked = True
        if not self._begun:
            self._begin()
        self._waiting += self._rows.new()
        while self._waiting:
            step, values = self._waiting[0]
            if step > self._kept.step:
                self._tracker.metrics(step, values)
                self._kept.step = step
                save_kept(self._kept, self._kept_file)
            self._waiting.popleft()

    def _begin(self) -> None:
        kept = load_kept(self._kept_file)
        if not self._goes_on and kept.config != self._config:
            kept = Kept()
        found = self._tracker.begin(_tracked(self._paths), kept.id)
        self._kept = kept if found == kept.id else Kept(id=found)
        self._kept.config = self._config
        save_kept(self._kept, self._kept_file)
        self._begun = True
        self._say("info", self._tracker.where())

    def _end(self) -> None:
        self._tell_best_model()
        ending = _ending(self._paths)
        self._tracker.end(ending)

    def _tell_best_model(self) -> None:
        file = self._paths.best_model
        try:
            sidecar = verify_model(file)
        except CheckpointError:  # the training died before or while it wrote one
            return
        if sidecar.sha256 != self._kept.model:
            metadata = json.loads(json.dumps(asdict(sidecar)))
            self._tracker.artifact("best_model", [file, sidecar_file(file)], metadata)
            self._kept.model = sidecar.sha256
            save_kept(self._kept, self._kept_file)


def _tracked(paths: RunPaths) -> TrackedRun:
    folder = paths.root
    config = yaml.safe_load(paths.resolved_config.read_text(encoding="utf-8"))
    config.pop("defaults", None)
    swept = (folder.parent / "multirun.yaml").is_file()
    return TrackedRun(folder, _said(folder), _said(folder.parent) if swept else "", config)


def _said(folder: Path) -> str:
    """As the user would name it."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if here in folder.parents else folder.name


def _ending(paths: RunPaths) -> Ending:
    record = read_record(paths.run)
    status = str(record["status"])
    results = paths.evaluation / "results.json"
    judged = status == RunStatus.finished.value and results.is_file()
    means: dict[str, dict[str, Any]] = _json(results)["means"] if judged else {}
    files = [paths.metrics_summary, *([results] if judged else [])]
    return Ending(
        status="killed" if status == RunStatus.running.value else status,
        timesteps=int(record.get("timesteps", 0)),
        facts={name: str(record[name]) for name in ("reason", "verdict") if name in record},
        summary=summarise(MetricsRows(paths.metrics).new()),
        evaluation={
            f"evaluation/{controller}/{metric}": float(value)
            for controller, values in means.items()
            for metric, value in values.items()
        },
        files=[file for file in files if file.is_file()],
    )


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def main() -> None:
    """Entry point: folder, tracker, SHA-256 of the configuration, `goes-on` or `begins`."""
    for kind in IGNORED:
        signal.signal(kind, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)  # see `Tracking`
    os.nice(NICENESS)
    training, messages = os.dup(0), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # no package shall ask questions of the training,
    os.dup2(2, 1)  # nor mix what it prints with our messages
    folder, name, config, how = sys.argv[1:]
    follower = Follower(Path(folder), name, config, how == "goes-on", _sayer(messages))
    follower.follow(partial(_heard_of_the_end(training).wait, POLL_S))


def _heard_of_the_end(training: int) -> threading.Event:
    """Set once the run's process has ended; so long after it this one does too, whatever hangs."""
    heard = threading.Event()

    def listen() -> None:
        os.read(training, 1)
        signal.alarm(MOST_S + MARGIN_S)
        heard.set()

    threading.Thread(target=listen, daemon=True).start()
    return heard


def _sayer(messages: TextIO) -> Callable[[str, str], None]:
    def say(level: str, text: str) -> None:
        print(level, text, file=sys.stderr, flush=True)
        try:
            print(json.dumps([level, text]), file=messages, flush=True)
        except BrokenPipeError:  # the training is gone
            return

    return say


if __name__ == "__main__":
    main()
