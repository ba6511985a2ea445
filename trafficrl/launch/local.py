"""hydra/launcher=submitit_local: the same jobs as processes of this machine, some at a time."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, filter_overrides
from submitit import Job as SubmittedJob
from submitit import LocalExecutor

from trafficrl.errors import ConfigError, RunError
from trafficrl.launch.launcher import JobLauncher
from trafficrl.launch.task import Planned, done
from trafficrl.launch.waiting import outcome
from trafficrl.runs.lock import RunLock
from trafficrl.runs.processors import processors

__all__ = ["LocalLauncher"]

log = logging.getLogger(__name__)
GLANCE_S = 0.2
"""Between two looks at the jobs."""


class LocalLauncher(JobLauncher):
    """Runs what is missing of a sweep; nobody else keeps these jobs, so the command waits.

    Args:
        array_parallelism: jobs at once; 0: as many as the processors suffice for.
        params: as in `launch.settings.LocalSettings`.
    """

    def __init__(self, *, array_parallelism: int, **params: Any) -> None:
        super().__init__(**params)
        if array_parallelism < 0:
            raise ConfigError(
                f"hydra.launcher.array_parallelism must be >= 0 jobs, got {array_parallelism}"
            )
        self.at_once = array_parallelism or max(1, processors() // (params["cpus_per_task"] or 1))

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """All jobs have ended, each after the one whose model it starts from.

        Raises:
            ConfigError: a job's configuration is wrong; none has begun then.
            RunError: some failed; why, in one line each.
        """
        everything = self.plan(job_overrides, initial_job_idx)
        plans = self.try_here(everything)
        if not plans:
            return [done(plan) for plan in everything]
        sweep = self.sweep_folder
        sweep.mkdir(parents=True, exist_ok=True)
        with RunLock(sweep / ".lock"):
            failed = self._run(plans)
        if failed:
            told = "; ".join(f"{folder}: {why}" for folder, why in failed.items())
            raise RunError(f"{len(failed)} of {len(plans)} jobs failed: {told}")
        return [done(plan) for plan in everything]

    def _run(self, plans: list[Planned]) -> dict[Path, str]:
        """Folder -> why, of those that failed or could not begin."""
        todo = [plan for plan in plans if not plan.finished]
        for plan in plans:
            words = " ".join(filter_overrides(plan.overrides))
            log.info("\t#%d : %s%s", plan.number, words, " : finished" * plan.finished)
        running: dict[Path, SubmittedJob[JobReturn]] = {}
        failed: dict[Path, str] = {}
        while todo or running:
            for folder in [folder for folder, job in running.items() if job.done()]:
                why = outcome(folder, running.pop(folder))
                log.info("%s: %s", folder, why or "done")
                failed.update({folder: why} if why else {})
            for plan in [plan for plan in todo if plan.after in failed]:
                failed[plan.folder] = f"not begun, since {plan.after} failed"
                todo.remove(plan)
            coming = {*running, *(plan.folder for plan in todo)}
            for plan in [plan for plan in todo if plan.after not in coming]:
                if len(running) < self.at_once:
                    running[plan.folder] = self._start(plan)
                    todo.remove(plan)
            time.sleep(GLANCE_S)
        return failed

    def _start(self, plan: Planned) -> SubmittedJob[JobReturn]:
        queue = LocalExecutor(
            self.params["submitit_folder"], max_num_timeout=self.params["max_num_timeout"]
        )
        wanted = ("timeout_min", "gpus_per_node", "signal_delay_s", "stderr_to_stdout")
        queue.update_parameters(
            **{name: self.params[name] for name in wanted if self.params[name] is not None}
        )
        self.task.keep(plan.experiment, plan.folder)
        job: SubmittedJob[JobReturn] = queue.submit(self, *self.arguments(plan))
        self.record(plan, job, "local")
        return job
