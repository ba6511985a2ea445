"""What a worker process of an evaluation does: one episode after another, each recorded at once.

Each runs in a fork of the process: so none finds what another has left, in SUMO or in memory.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.evaluation.controllers import (
    build_controller,
    check_controller,
    model_file,
    sampled_task,
)
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import EpisodeIdentity, Measure, Outcome
from trafficrl.runs.seeding import Split
from trafficrl.training.forking import in_fork, prepare_forks
from trafficrl.training.shielding import ignore_signals

__all__ = ["BEAT", "Job", "beating", "kept_controller", "run_job", "start_worker", "worker_place"]

BEAT = ".beat"
FileState = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to run."""

    controller: str
    """A controller's name, or the file of a model."""
    scenario: str
    split: Split
    seed: int
    measure: Measure
    database: EvaluationDatabase | None = None
    identity: EpisodeIdentity | None = None
    """Its name in the database."""


# What a worker process keeps between its episodes: the task, and each controller as it was built
# from a state of its file.
_worker: tuple[Task, Path] | None = None
_controllers: dict[str, tuple[FileState, Controller]] = {}


def start_worker(task: Task, folder: Path, lifeline: Connection) -> None:
    """This process is ready for jobs, and ends when the other end of the lifeline closes."""
    global _worker  # noqa: PLW0603 - a pool's initializer has no other place to leave its work
    _worker = (task, folder)
    ignore_signals()
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """This process ends when the pipe closes: the pool's own queue would let it wait for ever."""
    with suppress(EOFError):
        lifeline.recv()
    os._exit(0)


def worker_place() -> tuple[Task, Path]:
    """The task of this worker process, and its folder."""
    assert _worker is not None, "the initializer has run"
    return _worker


def run_job(job: Job) -> Outcome:
    """What the episode gave; it is in the database by then, so that nothing is lost any more."""
    task, folder = worker_place()
    episode = Episode.of_split(job.scenario, job.split, job.seed)
    controller = kept_controller(job.controller, task)
    task = sampled_task(job.controller, task)
    with beating(folder) as beat:
        run = partial(run_episode, task, episode, controller, folder, job.measure, beat=beat)
        outcome = in_fork(run)
    if job.database is not None:
        assert job.identity is not None, "what is recorded has a name"
        job.database.record(job.identity, outcome)
    return outcome


@contextmanager
def beating(folder: Path) -> Iterator[Callable[[], None]]:
    """While an episode runs, a file named by this process tells when it last made a decision."""
    file = folder / f"{os.getpid()}{BEAT}"
    file.touch()
    try:
        yield partial(os.utime, file)
    finally:
        file.unlink(missing_ok=True)


def kept_controller(name: str, task: Task) -> Controller:
    """Built once a state of its file: a model that was written anew is read anew."""
    check_controller(name, task.controllers)
    model = None if name in task.controllers else model_file(name)
    state = _file_state(model) if model else None
    known, controller = _controllers.get(name, (None, None))
    if controller is None or known != state:
        controller = build_controller(name, task)
        if model:  # which has imported torch by now
            from trafficrl.training.models import use_one_thread  # noqa: PLC0415

            use_one_thread()
        _controllers[name] = state, controller
        prepare_forks()
    return controller


def _file_state(file: Path) -> FileState:
    """Differs after the file was replaced, even within one tick of the file system's clock."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
