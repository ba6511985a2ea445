"""Controllers x scenarios x seeds, each episode in a worker process, the same seeds for all."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import RunError
from trafficrl.evaluation.controllers import build_controller, model_file
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.identity import Identities
from trafficrl.evaluation.outcome import EpisodeResult, Measure, Outcome
from trafficrl.evaluation.outdated import count_outdated
from trafficrl.evaluation.pool import WorkerPool
from trafficrl.evaluation.worker import Job, run_job
from trafficrl.runs.processors import processors
from trafficrl.runs.seeding import Split
from trafficrl.training.crashes import CrashLog

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

    When one of them dies, all are replaced, and the episodes that had not ended begin anew.

    Args:
        task: what is judged on.
        folder: where episodes keep their files while they run.
        workers: episodes at once; 0 for one a processor.
        max_crashes: deaths of workers that are borne.
        hang_timeout_s: a worker that makes no decision for so long counts as dead [s]; 0 for never.
    """

    def __init__(
        self,
        task: Task,
        folder: Path,
        *,
        workers: int = 0,
        max_crashes: int = 10,
        hang_timeout_s: float = 0.0,
    ) -> None:
        self._task = task
        self._folder = folder
        self._workers = workers or processors()
        self._crashes = CrashLog(max_crashes)
        self._hang_timeout_s = hang_timeout_s
        folder.mkdir(parents=True, exist_ok=True)
        self._pool = self._new_pool()

    def _new_pool(self) -> WorkerPool:
        return WorkerPool(
            self._task, self._folder, self._workers, hang_timeout_s=self._hang_timeout_s
        )

    def __enter__(self) -> "Evaluator":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def crashes(self) -> list[str]:
        """One line for each death of a worker: what had not ended then."""
        return self._crashes.lines

    def run(
        self,
        controllers: Mapping[str, str],
        *,
        split: Split,
        seeds: int,
        first_seed: int = 0,
        measure: Measure = ONLY_METRICS,
        recording: Recording | None = None,
        report: Callable[[int], None] = lambda done: None,
    ) -> list[EpisodeResult]:
        """All episodes, ordered by controller, scenario and seed.

        Args:
            controllers: label in tables -> name of the controller, or model file.
            split: which demand.
            seeds: episodes of each scenario, the same ones for every controller.
            first_seed: number of the first of them within the split.
            measure: what is measured.
            recording: where episodes are kept and known ones are found; None for nowhere.
            report: called with the number of finished episodes.

        Raises:
            ConfigError: an unknown controller, one whose parameters do not fit the network, or a
                model that is not there.
            CheckpointError: a model that is damaged, or was trained for another network.
            RunError: the database cannot be read or written.
            SimulationError: worker processes died too often.
            TrafficRLError: what an episode raised.
        """
        for name in controllers.values():
            build_controller(name, self._task)  # or it is refused after an hour of others
        jobs = {
            (label, scenario, seed): Job(controller, scenario, split, seed, measure)
            for label, controller in controllers.items()
            for scenario in self._task.scenarios
            for seed in range(first_seed, first_seed + seeds)
        }
        with tempfile.TemporaryDirectory(prefix="models-", dir=self._folder) as folder:
            if recording is not None:
                recording.database.clear_leftovers()
                jobs = recorded(jobs, self._task, recording, Path(folder))
            outcomes = self._finish(jobs, recording, report)
        return [result(key, job, outcomes[key]) for key, job in jobs.items()]

    def _finish(
        self, jobs: Mapping[Key, Job], recording: Recording | None, report: Callable[[int], None]
    ) -> dict[Key, Outcome]:
        outcomes = find_known(jobs, recording)
        if outcomes:
            report(len(outcomes))
        if recording is not None and len(outcomes) < len(jobs):
            recording.database.check_writable()
        while left := {key: job for key, job in jobs.items() if key not in outcomes}:
            with closing(self._pool.run(left, run_job)) as finished:
                for key, outcome in finished:
                    outcomes[key] = outcome
                    report(len(outcomes))
            unfinished = {key: job for key, job in left.items() if key not in outcomes}
            if unfinished:
                self._replace_workers(unfinished)
                outcomes |= find_known(unfinished, recording)
        return outcomes

    def _replace_workers(self, unfinished: Iterable[Key]) -> None:
        names = [f"{label} on {scenario} seed {seed}" for label, scenario, seed in unfinished]
        more = len(names) - self._workers
        told = ", ".join(names[: self._workers]) + (f" and {more} more" if more > 0 else "")
        self._crashes.add(f"a worker process of the evaluation died before {told}", "begun anew")
        self._pool.close()
        self._pool = self._new_pool()

    def close(self) -> None:
        """The workers have ended, with whatever they were doing."""
        self._pool.close()


def recorded(
    jobs: Mapping[Key, Job], task: Task, recording: Recording, folder: Path
) -> dict[Key, Job]:
    """The same jobs, each with its name in the database, and with a copy of its model.

    A run that is still trained may have a new best model at any time: what is recorded as one
    model's has to be that model's.

    Raises:
        RunError: a model cannot be copied, or the database not be read.
    """
    identities = Identities(task, run=recording.run)
    used = dict.fromkeys(job.controller for job in jobs.values())
    copies = {name: unchanging(name, task, folder / f"{i}.zip") for i, name in enumerate(used)}
    return {
        key: replace(
            job,
            controller=copies[job.controller],
            database=recording.database,
            identity=identities.identify(
                key[0],
                copies[job.controller],
                scenario=job.scenario,
                split=job.split,
                seed=job.seed,
                measure=job.measure,
                model_of=job.controller,
            ),
        )
        for key, job in jobs.items()
    }


def unchanging(controller: str, task: Task, copy: Path) -> str:
    """The controller itself, or the copy of its model that has been made there."""
    model = None if controller in task.controllers else model_file(controller)
    if model is None:
        return controller
    try:
        shutil.copyfile(model, copy)
    except OSError as error:
        raise RunError(f"{model} cannot be copied: {error.strerror}") from error
    return str(copy)


def find_known(jobs: Mapping[Key, Job], recording: Recording | None) -> dict[Key, Outcome]:
    """What the database holds of the jobs already, and the log says how much."""
    if recording is None or not recording.reuse:
        return {}
    wanted = {key: job.identity for key, job in jobs.items() if job.identity is not None}
    found = recording.database.known(list(wanted.values()))
    log.info(
        "evaluation: %d of %d episodes were known from %s",
        sum(identity in found for identity in wanted.values()),
        len(jobs),
        recording.database.folder,
    )
    unknown = [identity for identity in wanted.values() if identity not in found]
    outdated = count_outdated(recording.database.folder, unknown)
    if outdated:
        log.info(
            "evaluation: %d more are there from other code or versions of packages: they run anew",
            outdated,
        )
    return {key: found[identity] for key, identity in wanted.items() if identity in found}


def result(key: Key, job: Job, outcome: Outcome) -> EpisodeResult:
    """The outcome with its name."""
    label, scenario, seed = key
    sumo_seed = Episode.of_split(scenario, job.split, seed).sumo_seed
    return EpisodeResult(
        label,
        scenario,
        seed,
        sumo_seed,
        outcome.metrics,
        outcome.reward,
        outcome.slices,
        outcome.edge_queue_veh,
        job.identity.configuration if job.identity else "",
        outcome.slice_queues,
    )
