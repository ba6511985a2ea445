"""hydra/launcher=slurm: a sweep is a job array, a chain is jobs that wait for one another.

Which jobs there are is decided by the sweep alone; what has to be done for them, by what their
folders and the queue say: so the same command can be given again at any time.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.utils import JobReturn, filter_overrides
from submitit import Job as SubmittedJob
from submitit import SlurmJob

from trafficrl.errors import ConfigError, RunError
from trafficrl.launch.launcher import JobLauncher
from trafficrl.launch.sbatch import executor, resources, script, submitting
from trafficrl.launch.task import Planned, done
from trafficrl.launch.waiting import wait_for
from trafficrl.runs.jobs import load_job
from trafficrl.runs.lock import RunLock
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.queue import Queue, cancel
from trafficrl.runs.stop import uninterrupted

__all__ = ["SlurmLauncher"]

log = logging.getLogger(__name__)


class Living(NamedTuple):
    """A job that the queue has."""

    job: str
    waits: bool


class SlurmLauncher(JobLauncher):
    """Submits what is missing of a sweep, once.

    Args:
        wait: return only when all jobs have ended; None: unless they wait for one another.
        dry_run: print what sbatch would get, and do nothing.
        params: as in `launch.settings.SlurmSettings`.
    """

    def __init__(self, *, wait: bool | None, dry_run: bool, **params: Any) -> None:
        super().__init__(**params)
        self.wait = wait
        self.dry_run = dry_run

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Each job is finished, in the queue, or printed.

        Raises:
            ConfigError: a job's configuration is wrong; nothing has been submitted then.
            RunError: sbatch refused, or jobs failed that the command has waited for.
        """
        everything = self.plan(job_overrides, initial_job_idx)
        plans = self.try_here(everything)
        if self.dry_run:
            self._print(everything)
        if self.dry_run or not plans:
            return [done(plan) for plan in everything]
        sweep = self.sweep_folder
        sweep.mkdir(parents=True, exist_ok=True)
        with RunLock(sweep / ".lock"):
            jobs = self._submitted(plans)
        queue = Queue()
        if self.wait if self.wait is not None else not chained(plans):
            wait_for(jobs, partial(lives, queue, {job.job_id for job in jobs.values()}))
        elif jobs:
            log.info("trafficrl-status %s shows how they do", sweep)
        return [done(plan) for plan in everything]

    def _submitted(self, plans: list[Planned]) -> dict[Path, SubmittedJob[JobReturn]]:
        """The job of each folder that is not finished; what the queue did not have, it has now."""
        living = _living(plans)
        queued = self._queued(plans, living)
        for folder in _stale(plans, queued):
            log.info("job %s waits for one that is gone: it is submitted anew", queued[folder].job)
            cancel(queued.pop(folder).job)
        free: list[Planned] = []
        bound: list[Planned] = []
        coming = {plan.folder for plan in plans if not plan.finished}
        for plan in plans:
            job = queued.get(plan.folder)
            known = "finished" if plan.finished else f"job {job.job}" if job else ""
            words = " ".join(filter_overrides(plan.overrides))
            log.info("\t#%d : %s%s", plan.number, words, f" : {known}" if known else "")
            if not known:
                (bound if plan.after in coming or plan.after in living else free).append(plan)
        jobs: dict[Path, SubmittedJob[JobReturn]] = {
            folder: SlurmJob[JobReturn](folder=self.params["submitit_folder"], job_id=job.job)
            for folder, job in queued.items()
        }
        jobs.update(zip([plan.folder for plan in free], self._submit(free), strict=True))
        for plan in bound:
            assert plan.after is not None
            before = jobs[plan.after].job_id if plan.after in jobs else living[plan.after].job
            jobs[plan.folder] = self._submit([plan], after=before)[0]
        return jobs

    def _queued(self, plans: list[Planned], living: Mapping[Path, Living]) -> dict[Path, Living]:
        """Run folder -> its job, where the queue still has it.

        Raises:
            ConfigError: it waits there with another configuration.
        """
        queued = {plan.folder: living[plan.folder] for plan in plans if plan.folder in living}
        for plan in plans:
            if plan.folder in queued:
                changed = self.task.kept_otherwise(plan.experiment, plan.folder)
                if changed:
                    job = queued[plan.folder].job
                    raise ConfigError(
                        f"{plan.folder}: job {job} is in the queue with another configuration: "
                        f"{changed}: scancel it first, or name another hydra.sweep.dir"
                    )
        return queued

    def _submit(self, plans: list[Planned], after: str = "") -> list[SubmittedJob[JobReturn]]:
        """One array, or one job; each run folder says so.

        Raises:
            RunError: sbatch refused.
        """
        if not plans:
            return []
        queue = executor(self.params)
        for plan in plans:
            self.task.keep(plan.experiment, plan.folder)
        queue.update_parameters(**resources(self.params, after))
        columns = zip(*(self.arguments(plan) for plan in plans), strict=True)
        with uninterrupted():  # a job that no folder tells of would be submitted twice
            with submitting():
                jobs = queue.map_array(self, *columns)
            for plan, job in zip(plans, jobs, strict=True):
                self.record(plan, job, "slurm")
        return jobs

    def _print(self, plans: list[Planned]) -> None:
        """What would be submitted, in this order."""
        living = _living(plans)
        queued = self._queued(plans, living)
        todo = [plan for plan in plans if not plan.finished and plan.folder not in queued]
        before = {plan.folder: f"JOB_OF_{plan.number}" for plan in plans if not plan.finished}
        before |= {folder: job.job for folder, job in living.items()}
        sent = [([plan for plan in todo if plan.after not in before], "")]
        sent += [([plan], before[plan.after]) for plan in todo if plan.after in before]
        for together, after in sent:
            for plan in together:
                print(f"# {plan.folder}: {' '.join(filter_overrides(plan.overrides))}")
            if together:
                wanted = resources(self.params, after)
                print(script(self.params, wanted, elements=len(together)))


def chained(plans: Collection[Planned]) -> bool:
    """Some of them wait for others of them; a model that is there already makes no chain."""
    return not {plan.folder for plan in plans}.isdisjoint(plan.after for plan in plans)


def _stale(plans: list[Planned], queued: Mapping[Path, Living]) -> list[Path]:
    """Those of the waiting jobs whose predecessor has to be submitted again.

    Slurm cancels them some time after that one has failed, until when they seem to wait for it.
    """
    again: set[Path] = set()
    stale = []
    for plan in plans:  # each behind its predecessor
        job = queued.get(plan.folder)
        if job is not None and job.waits and plan.after in again:
            stale.append(plan.folder)
        elif plan.finished or job is not None:
            continue
        again.add(plan.folder)
    return stale


def _living(plans: Collection[Planned]) -> dict[Path, Living]:
    """Run folder -> its job that waits or runs: of the plans, and of the runs they start from.

    Raises:
        RunError: the queue does not tell, and a job might be submitted twice.
    """
    folders = {folder for plan in plans for folder in (plan.folder, plan.after) if folder}
    known = {folder: load_job(RunPaths(folder)) for folder in folders}
    numbers = {f: job.job for f, job in known.items() if job and job.cluster == "slurm"}
    if not numbers:
        return {}
    queue = Queue()
    answer = queue.ask(set(numbers.values()))
    if answer is None:
        raise RunError(f"the queue does not tell which jobs it has: {queue.trouble}")
    found = {folder: answer.jobs.get(number) for folder, number in numbers.items()}
    return {
        folder: Living(numbers[folder], job.waits)
        for folder, job in found.items()
        if job is not None and job.lives
    }


def lives(queue: Queue, jobs: Collection[str], number: str) -> bool:
    """Whether one of the jobs waits or runs; as long as the queue does not answer it does.

    `Queue` asks Slurm seldom, however often it is asked itself.
    """
    answer = queue.ask(jobs)
    if answer is None:
        return True
    job = answer.jobs.get(number)
    return job is not None and job.lives
