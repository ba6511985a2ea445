"""Controllers x scenarios x seeds, each episode in a worker process, the same seeds for all."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import SimulationError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.identity import Identities
from trafficrl.evaluation.outcome import EpisodeResult, Measure, Outcome
from trafficrl.evaluation.worker import Job, run_job, start_worker
from trafficrl.runs.seeding import Split
from trafficrl.training.shielding import shielded_children

__all__ = ["EpisodeResult", "Evaluator", "Recording"]

log = logging.getLogger(__name__)
Key = tuple[str, str, int]
"""Label of the controller, scenario, seed."""
ONLY_METRICS = Measure()


@dataclass(frozen=True, slots=True)
class Recording:
    """Where judged episodes are kept."""

    database: EvaluationDatabase
    run: Path
    """Folder of the run that asks for them."""
    reuse: bool = True
    """What is known already is not run again."""


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
            initializer=start_worker,
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
        measure: Measure = ONLY_METRICS,
        recording: Recording | None = None,
        report: Callable[[int], None] = lambda done: None,
    ) -> list[EpisodeResult]:
        """All episodes, ordered by controller, scenario and seed.

        Args:
            controllers: label in tables -> name of the controller, model file or run folder.
            split: which demand.
            seeds: episodes of each scenario, the same ones for every controller.
            measure: what is measured.
            recording: where episodes are kept and known ones are found; None for nowhere.
            report: called with the number of finished episodes.

        Raises:
            ConfigError: an unknown controller, or a model that is not there.
            CheckpointError: a model that is damaged, or was trained for another network.
            RunError: the database cannot be read or written.
            SimulationError: a worker process died.
            TrafficRLError: what an episode raised.
        """
        for name in controllers.values():
            if name not in self._task.controllers:
                build_controller(name, self._task)  # or it is refused after an hour of others
        jobs = {
            (label, scenario, seed): Job(controller, scenario, split, seed, measure)
            for label, controller in controllers.items()
            for scenario in self._task.scenarios
            for seed in range(seeds)
        }
        known: dict[Key, Outcome] = {}
        if recording is not None:
            jobs = recorded(jobs, self._task, recording)
            known = find_known(jobs, recording)
            if known:
                report(len(known))
        outcomes = known | self._run(
            {key: job for key, job in jobs.items() if key not in known},
            lambda done: report(len(known) + done),
        )
        return [result(key, split, outcomes[key]) for key in jobs]

    def _run(self, jobs: Mapping[Key, Job], report: Callable[[int], None]) -> dict[Key, Outcome]:
        futures: list[Future[Outcome]] = []
        try:
            with shielded_children():  # the pool starts its processes when it is given work
                futures += [self._pool.submit(run_job, job) for job in jobs.values()]
            for done in _finished(futures):
                report(done)
        except BrokenProcessPool as error:
            names = dict.fromkeys(label for label, _, _ in jobs)
            raise SimulationError(
                f"a worker process died during {len(jobs)} episodes of {', '.join(names)}"
            ) from error
        finally:
            for future in futures:
                future.cancel()
        return {key: future.result() for key, future in zip(jobs, futures, strict=True)}

    def close(self) -> None:
        """The workers have ended, with whatever they were doing."""
        self._lifeline.close()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _finished(futures: list["Future[Outcome]"]) -> Iterator[int]:
    """Counts finished episodes as they come; the first failure is raised at once."""
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        yield len(futures) - len(left)


def recorded(jobs: Mapping[Key, Job], task: Task, recording: Recording) -> dict[Key, Job]:
    """The same jobs, each with its name in the database."""
    identities = Identities(task, run=recording.run)
    return {
        key: replace(
            job,
            database=recording.database,
            identity=identities.identify(
                key[0],
                job.controller,
                scenario=job.scenario,
                split=job.split,
                seed=job.seed,
                measure=job.measure,
            ),
        )
        for key, job in jobs.items()
    }


def find_known(jobs: Mapping[Key, Job], recording: Recording) -> dict[Key, Outcome]:
    """What the database holds of the jobs already, and the log says how much."""
    if not recording.reuse:
        return {}
    wanted = {key: job.identity for key, job in jobs.items() if job.identity is not None}
    found = recording.database.known(list(wanted.values()))
    log.info(
        "evaluation: %d of %d episodes were known from %s",
        sum(identity in found for identity in wanted.values()),
        len(jobs),
        recording.database.folder,
    )
    return {key: found[identity] for key, identity in wanted.items() if identity in found}


def result(key: Key, split: Split, outcome: Outcome) -> EpisodeResult:
    """The outcome with its name."""
    label, scenario, seed = key
    sumo_seed = Episode.of_split(scenario, split, seed).sumo_seed
    return EpisodeResult(
        label,
        scenario,
        seed,
        sumo_seed,
        outcome.metrics,
        outcome.reward,
        outcome.slices,
        outcome.edge_queue_veh,
    )
