"""A command as one job: Hydra calls it here or in a process that a launcher started for it."""

import functools
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from trafficrl.app.config_debug import tell_sources
from trafficrl.app.consent import allow_named, allowed_extensions
from trafficrl.app.failures import Failure, job_name, same_folder, told
from trafficrl.app.teaching import with_teacher_files
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import differences
from trafficrl.config.inputs import locate
from trafficrl.config.load import load_experiment, save_experiment, to_experiment
from trafficrl.errors import ConfigError, TrafficRLError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.stop import Stopped

__all__ = ["Job", "never"]

E = TypeVar("E", bound=ExperimentConfig)

log = logging.getLogger(__name__)


def never(config: ExperimentConfig, folder: Path, overrides: Sequence[str]) -> bool:
    """For a command that does its work again whenever it is asked."""
    return False


class Job(Generic[E]):
    """The command, as `hydra.main` wants a function; launchers find what `launch.task.Task` says.

    What goes wrong is kept, because Hydra would end a multirun at the first exception.

    Args:
        command: gets the checked experiment and the folder of its run.
        schema: the dataclass of the primary config.
        finished: whether a folder holds all that a configuration asks for.
    """

    def __init__(
        self,
        command: Callable[[E, Path], None],
        schema: type[E],
        finished: Callable[[E, Path, Sequence[str]], bool] = never,
    ) -> None:
        functools.update_wrapper(self, command)
        self._command = command
        self._schema = schema
        self._finished = finished
        self._process = os.getpid()
        self.failures: list[Failure] = []

    def __call__(self, cfg: DictConfig) -> None:
        """Do it."""
        folder = Path(HydraConfig.get().runtime.output_dir)
        sent_away = os.getpid() != self._process
        try:
            experiment = self._as_kept(cfg, folder) if sent_away else self._begun_here(cfg, folder)
            self._command(experiment, folder)
        except Stopped as stopped:
            stopped.again = same_folder()
            raise
        except Exception as error:
            # Every exception: a bug in one job must not take the other jobs of a sweep with it.
            _log_to_file(error)
            if sent_away:  # a launcher's own process, which fails with it
                raise
            self.failures.append(Failure(error, job_name()))

    def checked(self, cfg: DictConfig) -> E:
        """The experiment of a composed configuration.

        Raises:
            ConfigError: the configuration fails its checks, or brings code that nobody has named.
        """
        if os.getpid() == self._process:  # a job that was sent away has its values kept
            tell_sources()
        given = with_teacher_files(to_experiment(cfg, self._schema))
        found = locate(given, [Path.cwd(), *_config_dirs()])
        allow_named(found, HydraConfig.get().overrides.task)
        allowed_extensions(found)  # or it is refused in a job that waited for days
        return found

    def nothing_left(self, experiment: E, folder: Path, overrides: Sequence[str]) -> bool:
        """The folder holds all that the experiment asks for.

        Raises:
            ConfigError: the experiment cannot be, or the folder belongs to another one.
        """
        return self._finished(experiment, folder, overrides)

    def keep(self, experiment: E, folder: Path) -> None:
        """The job for that folder will find this experiment, whatever is edited meanwhile."""
        folder.mkdir(parents=True, exist_ok=True)
        save_experiment(experiment, RunPaths(folder).submitted_config)

    def kept_otherwise(self, experiment: E, folder: Path) -> str:
        """Where that experiment and the one kept in the folder differ; empty if nowhere."""
        kept = load_experiment(RunPaths(folder).submitted_config, self._schema)
        return told(differences(kept, experiment))

    def _as_kept(self, cfg: DictConfig, folder: Path) -> E:
        """The configuration as it was when the job was submitted: it may have waited for days."""
        file = RunPaths(folder).submitted_config
        kept = load_experiment(file, self._schema)
        allow_named(kept, HydraConfig.get().overrides.task)
        try:
            changed = told(differences(kept, self.checked(cfg)))
        except ConfigError as error:  # files that are being edited are of no concern to the job
            changed = str(error)
        if changed:
            log.warning("%s counts; edited since the job was submitted: %s", file, changed)
        return kept

    def _begun_here(self, cfg: DictConfig, folder: Path) -> E:
        try:
            _refuse_what_needs_a_multirun()
            return self.checked(cfg)
        except ConfigError:
            with suppress(OSError):  # only an empty folder goes: one that was in use before stays
                folder.rmdir()
            raise


def _refuse_what_needs_a_multirun() -> None:
    """Hydra has sweepers and launchers in multiruns alone, and leaves them out in silence."""
    config = HydraConfig.get()
    if config.mode is RunMode.MULTIRUN:
        return
    batch = config.sweeper.get("batch")
    if batch is not None:
        raise ConfigError(f"batch={batch} makes a chain of trainings: add -m to the command")
    if config.launcher.get("sweep_dir"):
        name = config.runtime.choices["hydra/launcher"]
        raise ConfigError(f"hydra/launcher={name} sends jobs away: add -m to the command")


def _config_dirs() -> list[Path]:
    """The folders that --config-dir named: a run folder's configuration names files beside it."""
    sources = HydraConfig.get().runtime.config_sources
    return [Path(source.path) for source in sources if source.provider == "command-line"]


def _log_to_file(error: Exception) -> None:
    """The run's log says why it ended; the terminal gets its line when all jobs are done."""
    known = isinstance(error, TrafficRLError)
    record = logging.LogRecord(
        __name__, logging.ERROR, __file__, 0, str(error), (), None if known else sys.exc_info()
    )
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent.exists():
            handler.handle(record)
