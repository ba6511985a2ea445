"""Where the runs below a folder stand: what `run.json` says, and whether it can still be believed.

A run that waits in a queue has a `job.json` only.

A training that was killed cannot write that it ended. One that says "running" is believed as long
as its process lives, which only its own host can tell.
"""

import json
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from trafficrl.errors import RunError
from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.facts import Facts, one_line
from trafficrl.runs.jobs import load_job
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunStatus

__all__ = ["find_runs", "in_order", "process_lives", "read_state", "read_states"]

SILENT_AFTER = timedelta(minutes=10)
"""A run that has written nothing for so long is worth a look."""
CLOCK_SLACK_S = 10.0
"""A process is another one if it began so long after the last line of the one that is asked for:
clocks are set while processes run, and `run.json` holds whole seconds."""
RUN_FILE = RunPaths(Path()).run.name
JOB_FILE = RunPaths(Path()).job.name
PARTS = {
    getattr(RunPaths(Path()), name).name
    for name in (
        *("checkpoints", "demand", "evaluation", "inputs", "network"),
        *("tensorboard", "trackers", "work"),
    )
}
"""Folders of a run, in which no other run lies."""


def find_runs(root: Path) -> Iterator[tuple[Path, str]]:
    """Each run folder below a folder or the folder itself, and "".

    Instead of "" stands what went wrong where a folder cannot be looked into.
    """
    unread: list[OSError] = []
    for place, folders, files in os.walk(root, onerror=unread.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if RUN_FILE in files or JOB_FILE in files:
            folders[:] = [name for name in folders if name not in PARTS]
            yield Path(place), ""
    for error in unread:
        if not isinstance(error, FileNotFoundError):  # deleted since its parent was read
            yield Path(error.filename), f"the folder cannot be read: {error.strerror}"


def read_states(roots: Iterable[tuple[Path, str]], now: datetime) -> list[RunState]:
    """The runs below some folders: those that matter first, then the newest.

    Args:
        roots: folders, and what stands before the names of their runs.
        now: with a time zone.
    """
    states = []
    for root, prefix in roots:
        for folder, trouble in find_runs(root):
            name = str(Path(prefix, folder.relative_to(root)))
            name = one_line(folder.resolve().name if name == "." else name)
            state = _damaged(folder, name, trouble) if trouble else read_state(folder, name, now)
            if state is not None:
                states.append(state)
    return in_order(states)


def in_order(states: Iterable[RunState]) -> list[RunState]:
    """Those that matter first, then the newest, then by name."""
    order = {condition: i for i, condition in enumerate(Condition)}
    return sorted(
        states,
        key=lambda state: (
            order[state.condition],
            -state.updated.timestamp() if state.updated else 0,
            state.name,
        ),
    )


def read_state(folder: Path, name: str, now: datetime) -> RunState | None:
    """The state of the run in a folder; None if nothing in it tells of a run, any more."""
    trouble = ""
    try:
        job = load_job(RunPaths(folder))
    except RunError as error:
        job, trouble = None, one_line(str(error).removeprefix(f"{folder}{os.sep}"))
    state = _account(folder, name, now)
    if state is None and job is not None:
        note = f"job {job.job}" if job.cluster == "slurm" else f"process {job.job}"
        state = RunState(name=name, folder=folder, condition=Condition.submitted, note=note)
    if state is None:
        return _damaged(folder, name, trouble) if trouble else None
    if trouble:
        return replace(state, note="; ".join(filter(None, [state.note, trouble])))
    if job is None:
        return state
    return replace(
        state,
        cluster=job.cluster,
        job=job.job,
        submitted=job.submitted,
        after=job.after,
        log=job.log,
    )


def _account(folder: Path, name: str, now: datetime) -> RunState | None:
    """What `run.json` says; None if there is none."""
    file = folder / RUN_FILE
    try:
        written = file.read_bytes()
        rows = json.loads(written)
        state = _state(folder, name, rows, now)
        if state.condition is Condition.gone and file.read_bytes() != written:
            return _account(folder, name, now)  # it ended between the two looks, and said so
        return state
    except FileNotFoundError:
        return None
    except OSError as error:
        return _damaged(folder, name, f"{RUN_FILE} cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        return _damaged(folder, name, f"{RUN_FILE} is damaged: {one_line(str(error))}")


def _state(folder: Path, name: str, rows: Any, now: datetime) -> RunState:
    if not isinstance(rows, dict):
        return _damaged(folder, name, f"{RUN_FILE} is damaged: no JSON object")
    facts = Facts(rows)
    status, reason = facts.text("status"), facts.text("reason")
    host, pid = facts.text("host"), facts.count("pid")
    started, updated = facts.time("started"), facts.time("updated")
    if status == RunStatus.running.value:
        condition, note = _still_running(host, pid, updated or started, now)
    elif status in {known.value for known in RunStatus}:
        condition, note = Condition(status), reason or ""
    else:
        condition = Condition.unknown
        note = f"{RUN_FILE} has " + (f"status {status!r}" if status else "no status")
    return RunState(
        name=name,
        folder=folder,
        condition=condition,
        host=host,
        pid=pid,
        started=started,
        updated=updated,
        timesteps=facts.count("timesteps"),
        total_timesteps=facts.count("total_timesteps"),
        steps_per_s=facts.number("steps_per_s"),
        eta_s=facts.number("eta_s"),
        last_score=facts.number("last_score"),
        best_score=facts.number("best_score"),
        crashes=facts.count("crashes"),
        resumes=facts.count("resumes"),
        last_checkpoint=facts.time("last_checkpoint"),
        note="; ".join(filter(None, [note, _odd(facts)])),
    )


def _damaged(folder: Path, name: str, note: str) -> RunState:
    return RunState(name=name, folder=folder, condition=Condition.damaged, note=note)


def _odd(facts: Facts) -> str:
    return f"{RUN_FILE}: odd {', '.join(facts.wrong)}" if facts.wrong else ""


def _still_running(
    host: str | None, pid: int | None, written: datetime | None, now: datetime
) -> tuple[Condition, str]:
    """Whether a run that says "running" runs, and what to mind."""
    silent = written is not None and now - written > SILENT_AFTER
    if host is None or pid is None:
        return Condition.silent if silent else Condition.elsewhere, "host or process not named"
    if host != socket.gethostname():
        return Condition.silent if silent else Condition.elsewhere, f"on {host}"
    if not process_lives(pid, written):
        return Condition.gone, f"process {pid} is gone"
    return Condition.running, "nothing written for a while" if silent else ""


def process_lives(pid: int, written: datetime | None) -> bool:
    """The process that wrote at that time lives; a later one of the same number is another."""
    try:
        process = psutil.Process(pid)
        if process.status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
            return False
        return written is None or process.create_time() <= written.timestamp() + CLOCK_SLACK_S
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # another user's; it is there
        return True
