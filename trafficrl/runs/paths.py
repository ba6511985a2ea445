"""Each file of a run folder, named once."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["JOB_LOGS", "RunPaths"]

JOB_LOGS = ("job.out", "job.err")
"""Links in a run folder to what its job prints."""


@dataclass(frozen=True, slots=True)
class RunPaths:
    """The files of one run; others script against these names."""

    root: Path

    @property
    def resolved_config(self) -> Path:
        """Everything that decides the result."""
        return self.root / "resolved_config.yaml"

    @property
    def submitted_config(self) -> Path:
        """What a job was submitted with; edits made while it waits do not reach it."""
        return self.root / "submitted_config.yaml"

    @property
    def run(self) -> Path:
        """Status, steps done, rates, versions."""
        return self.root / "run.json"

    @property
    def job(self) -> Path:
        """The job that a cluster was given for it."""
        return self.root / "job.json"

    @property
    def lock(self) -> Path:
        """Held by the process that works in the folder."""
        return self.root / ".lock"

    @property
    def metrics(self) -> Path:
        """One row an update; holds no clock time, so that equal runs have equal files."""
        return self.root / "metrics.csv"

    @property
    def metrics_summary(self) -> Path:
        """Mean, std, min, max, last and count of each metric, at the end of the run."""
        return self.root / "metrics_summary.json"

    @property
    def tensorboard(self) -> Path:
        """Event files."""
        return self.root / "tensorboard"

    @property
    def trackers(self) -> Path:
        """What trackers keep here, which run of theirs this is, and what they print."""
        return self.root / "trackers"

    @property
    def checkpoints(self) -> Path:
        """Models by environment step."""
        return self.root / "checkpoints"

    @property
    def best_model(self) -> Path:
        """The model with the best validation score."""
        return self.root / "best_model.zip"

    @property
    def final_model(self) -> Path:
        """The model after the last step."""
        return self.root / "final_model.zip"

    @property
    def evaluation(self) -> Path:
        """What the policy is worth on the test demand."""
        return self.root / "evaluation"

    @property
    def network(self) -> Path:
        """The network of all scenarios."""
        return self.root / "network"

    @property
    def demand(self) -> Path:
        """Generated demand and its pictures, to look at."""
        return self.root / "demand"

    @property
    def inputs(self) -> Path:
        """Copies of the files that the configuration names."""
        return self.root / "inputs"

    @property
    def work(self) -> Path:
        """Demand files while the run goes on; gone afterwards."""
        return self.root / "work"

    def checkpoint(self, timesteps: int) -> Path:
        """The model at that environment step."""
        return self.checkpoints / f"step_{timesteps:010d}.zip"
