"""What a launcher asks of a command that it sends away, and what it knows of each job."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from trafficrl.config.experiment import ExperimentConfig

__all__ = ["Planned", "Task", "done"]


class Task(Protocol):
    """A command as Hydra calls it, which can also be asked before it is sent away."""

    def __call__(self, cfg: DictConfig) -> None:
        """Do it, here and now."""

    def checked(self, cfg: DictConfig) -> ExperimentConfig:
        """The experiment of a composed configuration.

        Raises:
            ConfigError: the configuration fails its checks.
        """

    def nothing_left(
        self, experiment: ExperimentConfig, folder: Path, overrides: Sequence[str]
    ) -> bool:
        """The folder holds what the experiment asks for.

        Raises:
            ConfigError: the experiment cannot be, or the folder belongs to another one.
        """

    def keep(self, experiment: ExperimentConfig, folder: Path) -> None:
        """The job for that folder will find this experiment, whatever is edited meanwhile."""

    def kept_otherwise(self, experiment: ExperimentConfig, folder: Path) -> str:
        """Where that experiment and the one kept in the folder differ; empty if nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One job of a sweep."""

    number: int
    overrides: list[str]
    folder: Path
    composed: DictConfig
    """Hydra's own part included."""
    experiment: ExperimentConfig
    """What the command gets of it."""
    finished: bool
    after: Path | None
    """Folder of the run whose model it starts from, which may still have to be made."""


def done(plan: Planned) -> JobReturn:
    """What Hydra is told of a job that has been taken care of."""
    returned = JobReturn(overrides=plan.overrides)
    returned.status, returned.return_value = JobStatus.COMPLETED, None
    return returned
