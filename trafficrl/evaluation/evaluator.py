"""Controllers x scenarios x seeds, each episode in a worker process, the same seeds for all."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from trafficrl.control.controller import Controller
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import SimulationError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.runs.seeding import Split
from trafficrl.training.models import use_one_thread

__all__ = ["EpisodeResult", "Evaluator"]


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
    """A controller's name, or the file of a model."""
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
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(task, folder),
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
            controllers: label in tables -> name of the controller, or file of the model.
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
        try:
            futures = [self._pool.submit(_run_job, job) for job in jobs]
            for done in _finished(futures):
                report(done)
        except BrokenProcessPool as error:
            raise SimulationError(
                f"a worker process died during {len(jobs)} episodes of {', '.join(controllers)}"
            ) from error
        return [future.result() for future in futures]

    def close(self) -> None:
        """The workers have ended."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _finished(futures: list["Future[EpisodeResult]"]) -> Iterator[int]:
    """Counts finished episodes as they come; the first failure is raised at once."""
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        yield len(futures) - len(left)


# What a worker process keeps between its episodes: the task, and the controllers it has built.
_worker: tuple[Task, Path] | None = None
_controllers: dict[tuple[str, float], Controller] = {}


def _start_worker(task: Task, folder: Path) -> None:
    global _worker  # noqa: PLW0603 - a pool's initializer has no other place to leave its work
    _worker = (task, folder)
    use_one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides what an interrupt means


def _run_job(job: Job) -> EpisodeResult:
    assert _worker is not None, "the initializer has run"
    task, folder = _worker
    episode = Episode.of_split(job.scenario, job.split, job.seed)
    metrics, reward = run_episode(task, episode, _controller(job.controller, task), folder)
    return EpisodeResult(job.label, job.scenario, job.seed, episode.sumo_seed, metrics, reward)


def _controller(name: str, task: Task) -> Controller:
    """Built once a file state: a model that was written anew is read anew."""
    changed = Path(name).stat().st_mtime_ns if name.endswith(".zip") else 0
    if (name, changed) not in _controllers:
        _controllers[name, changed] = build_controller(name, task)
    return _controllers[name, changed]
