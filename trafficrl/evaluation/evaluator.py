"""Controllers x scenarios x seeds, each episode in a worker process, the same seeds for all."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import SimulationError
from trafficrl.evaluation.controllers import build_controller, check_controller, model_file
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.runs.seeding import Split
from trafficrl.training.models import use_one_thread
from trafficrl.training.processes import ignore_signals, shielded_children

__all__ = ["EpisodeResult", "Evaluator"]


FileState = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """One episode's metrics, and all that names it."""

    controller: str
    """Its label in tables."""
    scenario: str
    seed: int
    """Index within the split: 0, 1, ..."""
    sumo_seed: int
    metrics: EpisodeMetrics
    reward: float


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to run."""

    label: str
    controller: str
    """A controller's name, the file of a model, or a run folder."""
    scenario: str
    split: Split
    seed: int


class Evaluator:
    """Worker processes for one task; a context manager that ends them.

    Raises:
        SimulationError: an episode failed, or a worker process died.
    """

    def __init__(self, task: Task, folder: Path, *, workers: int = 0) -> None:
        self._task = task
        count = workers or len(os.sched_getaffinity(0))
        folder.mkdir(parents=True, exist_ok=True)
        # Nothing is sent through this pipe: it closes when we close it or are gone.
        lifeline, self._lifeline = multiprocessing.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(task, folder, lifeline),
        )

    def __enter__(self) -> "Evaluator":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def run(
        self,
        controllers: Mapping[str, str],
        *,
        split: Split,
        seeds: int,
        report: Callable[[int], None] = lambda done: None,
    ) -> list[EpisodeResult]:
        """All episodes, ordered by controller, scenario and seed.

        Args:
            controllers: label in tables -> name of the controller, model file or run folder.
            split: which demand.
            seeds: episodes of each scenario, the same ones for every controller.
            report: called with the number of finished episodes.

        Raises:
            SimulationError: a worker process died.
            TrafficRLError: what an episode raised.
        """
        jobs = [
            Job(label, controller, scenario, split, seed)
            for label, controller in controllers.items()
            for scenario in self._task.scenarios
            for seed in range(seeds)
        ]
        futures: list[Future[EpisodeResult]] = []
        try:
            with shielded_children():  # the pool starts its processes when it is given work
                futures += [self._pool.submit(_run_job, job) for job in jobs]
            for done in _finished(futures):
                report(done)
        except BrokenProcessPool as error:
            raise SimulationError(
                f"a worker process died during {len(jobs)} episodes of {', '.join(controllers)}"
            ) from error
        finally:
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]

    def close(self) -> None:
        """The workers have ended, with whatever they were doing."""
        self._lifeline.close()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _finished(futures: list["Future[EpisodeResult]"]) -> Iterator[int]:
    """Counts finished episodes as they come; the first failure is raised at once."""
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        yield len(futures) - len(left)


# What a worker process keeps between its episodes: the task, and each controller as it was built
# from a state of its file.
_worker: tuple[Task, Path] | None = None
_controllers: dict[str, tuple[FileState, Controller]] = {}


def _start_worker(task: Task, folder: Path, lifeline: Connection) -> None:
    global _worker  # noqa: PLW0603 - a pool's initializer has no other place to leave its work
    _worker = (task, folder)
    use_one_thread()
    ignore_signals()
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """This process ends when the pipe closes: the pool's own queue would let it wait for ever."""
    with suppress(EOFError):
        lifeline.recv()
    os._exit(0)


def _run_job(job: Job) -> EpisodeResult:
    assert _worker is not None, "the initializer has run"
    task, folder = _worker
    episode = Episode.of_split(job.scenario, job.split, job.seed)
    metrics, reward = run_episode(task, episode, _controller(job.controller, task), folder)
    return EpisodeResult(job.label, job.scenario, job.seed, episode.sumo_seed, metrics, reward)


def _controller(name: str, task: Task) -> Controller:
    """Built once a state of its file: a model that was written anew is read anew."""
    check_controller(name, task.controllers)
    model = None if name in task.controllers else model_file(name)
    state = _file_state(model) if model else None
    known, controller = _controllers.get(name, (None, None))
    if controller is None or known != state:
        controller = build_controller(name, task)
        _controllers[name] = state, controller
    return controller


def _file_state(file: Path) -> FileState:
    """Differs after the file was replaced, even within one tick of the file system's clock."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
