"""What the launchers for Slurm and for this machine share: jobs as planned, and what a job does.

Hydra packs an exception of a job into its result, with which the job would count as completed;
here a job that fails, fails. One that is told to stop has saved itself by then, and leaves in the
way that lets it be started again in the same folder.
"""

import gc
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import (
    JobReturn,
    JobStatus,
    configure_log,
    filter_overrides,
    run_job,
    setup_globals,
)
from hydra.errors import HydraException
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import BaseSubmititLauncher
from omegaconf import DictConfig, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from submitit import Job as SubmittedJob
from submitit import JobEnvironment
from yaml import YAMLError

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.store import register_configs
from trafficrl.errors import ConfigError
from trafficrl.launch.leaving import leave
from trafficrl.launch.task import Planned, Task
from trafficrl.launch.waiting import link_logs
from trafficrl.runs.jobs import Job, save_job
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.stop import Stopped

__all__ = ["JobLauncher"]

log = logging.getLogger(__name__)
UNUSABLE = (",", "%", "$", "\n")
NOT_COMPOSED = (HydraException, OmegaConfBaseException, YAMLError, OSError)
"""What Hydra raises where configuration files are wrong, or gone."""


class JobLauncher(BaseSubmititLauncher):
    """Hydra's submitit launcher, for jobs that can be cut and go on."""

    def __init__(self, *, sweep_dir: str = "", **params: Any) -> None:
        super().__init__(**params)

    def __call__(self, *arguments: Any, **_: Any) -> JobReturn:
        """The job itself, in the process that was started for it.

        Args:
            arguments: as `arguments` has them.

        Raises:
            Exception: the job's own, so that the job fails for the queue too.
            SystemExit: it was told to stop, and has.
        """
        overrides, composed, state = arguments
        assert self.hydra_context is not None
        assert self.task_function is not None
        Singleton.set_state(state)
        setup_globals()
        register_configs()
        try:
            result = run_job(
                hydra_context=self.hydra_context,
                task_function=self.task_function,
                config=self._composed_again(overrides, composed),
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
            )
        except Stopped as stopped:
            leave(stopped)
        if result.status is not JobStatus.COMPLETED:
            raise result._return_value
        return result

    @property
    def sweep_folder(self) -> Path:
        """In which the jobs have their folders."""
        assert self.config is not None
        return Path(self.config.hydra.sweep.dir)

    def plan(self, job_overrides: Sequence[Sequence[str]], first: int) -> list[Planned]:
        """Each job, with its folder, composed and checked.

        Raises:
            ConfigError: one of them is wrong, or its folder holds another run.
        """
        for character in UNUSABLE:
            if character in str(self.sweep_folder.resolve()):
                raise ConfigError(
                    f"hydra.sweep.dir={self.sweep_folder}: SUMO, submitit and sbatch take "
                    f"{character!r} in the name of a folder for something else: choose another"
                )
        gc.freeze()  # what is imported is no garbage: looking through it again and again takes time
        return [
            self._planned(number, list(words))
            for number, words in enumerate(job_overrides, start=first)
        ]

    def try_here(self, plans: Sequence[Planned]) -> list[Planned]:
        """Those jobs that are only to be tried have been, one after the other; the others.

        A dry run says what a job needs: that is asked before it is given a place in a queue.
        """
        assert self.hydra_context is not None
        assert self.config is not None
        for plan in plans:
            if plan.experiment.execution.dry_run:
                log.info("\t#%d : %s", plan.number, " ".join(filter_overrides(plan.overrides)))
                run_job(
                    hydra_context=self.hydra_context,
                    task_function=self.task,
                    config=plan.composed,
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                )
                configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        return [plan for plan in plans if not plan.experiment.execution.dry_run]

    def arguments(self, plan: Planned) -> tuple[Any, ...]:
        """With which the job is called: overrides, configuration, state of Hydra's singletons."""
        return plan.overrides, plan.composed, Singleton.get_state()

    @property
    def task(self) -> Task:
        """The command."""
        return cast(Task, self.task_function)

    def record(self, plan: Planned, job: SubmittedJob[JobReturn], cluster: str) -> None:
        """The run folder says what job it has, and leads to what that prints."""
        said = Job(
            cluster=cluster,
            job=job.job_id,
            submitted=datetime.now(timezone.utc),
            after=plan.after,
            overrides=tuple(filter_overrides(plan.overrides)),
            log=link_logs(plan.folder, job.paths),
        )
        save_job(RunPaths(plan.folder), said)
        log.info("job %s: %s", job.job_id, plan.folder)

    def _composed_again(self, overrides: list[str], composed: DictConfig) -> DictConfig:
        """As the configuration files are now, for the task to tell what was edited meanwhile."""
        assert self.hydra_context is not None
        assert self.config is not None
        try:
            cfg = self.hydra_context.config_loader.load_sweep_config(self.config, overrides)
        except NOT_COMPOSED as error:
            what = " ".join(str(error).split())
            log.warning("the job goes on as it was submitted; not composed again: %s", what)
            cfg = composed
        with read_write(cfg.hydra), open_dict(cfg.hydra):
            cfg.hydra.job.id, cfg.hydra.job.num = JobEnvironment().job_id, composed.hydra.job.num
        return cfg

    def _planned(self, number: int, overrides: list[str]) -> Planned:
        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        cfg = loader.load_sweep_config(self.config, overrides)
        with open_dict(cfg):
            cfg.hydra.job.id, cfg.hydra.job.num = str(number), number
        folder = Path(cfg.hydra.sweep.dir) / str(cfg.hydra.sweep.subdir)
        HydraConfig.instance().set_config(cfg)
        own: list[str] = list(cfg.hydra.overrides.task)
        experiment = self.task.checked(_without_hydra(cfg))
        return Planned(
            number=number,
            overrides=overrides,
            folder=folder,
            composed=cfg,
            experiment=experiment,
            finished=self.task.nothing_left(experiment, folder, own),
            after=_origin(experiment),
        )


def _without_hydra(cfg: DictConfig) -> DictConfig:
    copy = cfg.copy()
    with open_dict(copy):
        del copy["hydra"]
    return copy


def _origin(experiment: ExperimentConfig) -> Path | None:
    """The folder of the run that `resume_from` names, if it names one by its place."""
    given = experiment.resume_from
    if not given:
        return None
    return Path(given).parent if given.endswith(".zip") else Path(given)
