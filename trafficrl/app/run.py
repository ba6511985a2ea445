"""What a training left in its folder, to look into and to act with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import load_experiment
from trafficrl.errors import RunError
from trafficrl.evaluation.report.documents import read_table
from trafficrl.evaluation.report.run_folder import read_runs
from trafficrl.evaluation.results import Comparison
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import read_record
from trafficrl.runs.run_models import best_model

if TYPE_CHECKING:
    from trafficrl.training.models import LoadedModel

__all__ = ["Run", "load_run"]


@dataclass(frozen=True)
class Run:
    """A run folder; each part is read when it is asked for, and no code in it is run.

    Example:
        run = load_run("outputs/first")
        run.config.algorithm.learning_rate
        run.metrics["validation/delay_s"]
        run.results.mean("policy", "delay_s")
        action = run.policy().act(observation)
    """

    folder: Path
    """Absolute, so that it is the same one after a change of the current folder."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder).absolute())

    @property
    def paths(self) -> RunPaths:
        """Each file of the folder by name."""
        return RunPaths(self.folder)

    @cached_property
    def config(self) -> ExperimentConfig:
        """Everything that decided the result.

        Raises:
            ConfigError: it is damaged.
        """
        return load_experiment(self.paths.resolved_config)

    @property
    def record(self) -> dict[str, Any]:
        """What `run.json` says now: status, timesteps, best_score, verdict, ...

        Raises:
            RunError: there is none, or it is damaged.
        """
        return read_record(self.paths.run)

    @property
    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """Column of `metrics.csv` -> (updates,) numbers; NaN where an update has none.

        `timesteps` are environment steps; `rollout/`, `reward/` and `traffic/` tell of training
        episodes, `validation/` of validation demand (delay in s), `train/` of the learner.

        Raises:
            RunError: there is none, or it is damaged.
        """
        return {name: np.array(values) for name, values in read_table(self.paths.metrics).items()}

    @cached_property
    def results(self) -> Comparison:
        """What the policy is worth beside the baselines on the test demand.

        Raises:
            RunError: it was not judged yet, or what was written is damaged.
        """
        (judged,) = read_runs([self.folder])
        return Comparison(judged.results, confidence=judged.confidence)

    @property
    def best_model(self) -> Path:
        """The file of the best whole model by stored scores.

        Raises:
            CheckpointError: the run has no whole model.
        """
        return best_model(self.folder)

    def policy(self) -> "LoadedModel":
        """The best model: `act(observation)` answers the action for an environment of its network.

        Raises:
            CheckpointError: the run has no whole model.
        """
        from trafficrl.training.models import load_model  # noqa: PLC0415 - torch takes seconds

        return load_model(self.best_model)


def load_run(folder: str | Path) -> Run:
    """The run in that folder.

    Raises:
        RunError: there is none.
    """
    run = Run(Path(folder))
    if not run.paths.resolved_config.is_file():
        raise RunError(f"{folder} is no run folder: there is no resolved_config.yaml")
    return run
