"""What a tracker is told of a run. A new tracker is one file and a line in `installed.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Ending", "TrackedRun", "Tracker"]


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A run as it begins, or goes on."""

    folder: Path
    """Where the tracker may keep files of its own, below `trackers/`; absolute."""
    name: str
    """Its folder, as people would say it."""
    group: str
    """The folder of its sweep or chain; empty where it is alone."""
    config: Mapping[str, Any]
    """`resolved_config.yaml`: groups of keys, and `provenance`."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is left of a run when its process has ended."""

    status: str
    """finished, stopped or failed, or killed where nobody could say so any more."""
    timesteps: int
    """Environment steps of its model."""
    facts: Mapping[str, str]
    """`reason` and `verdict` of `run.json`, as far as they are there."""
    summary: Mapping[str, Mapping[str, float | int | None]]
    """`metrics_summary.json`: metric -> statistic -> value."""
    evaluation: Mapping[str, float]
    """evaluation/CONTROLLER/METRIC -> its mean over the test episodes."""
    files: Sequence[Path]
    """`metrics_summary.json` and `evaluation/results.json`, as far as they are there."""


class Tracker(Protocol):
    """One run in one tracker, which has the process for itself.

    Any call may raise anything or take any time: the training hears nothing of it but one warning.
    What raised is called again later with the same arguments, `end` excepted.
    """

    def begin(self, run: TrackedRun, kept_id: str) -> str:
        """The run is open, and its configuration told; returns its id.

        Args:
            run: what is known of it.
            kept_id: of the run that this one goes on, empty for a new one. Where the tracker has
                it no more a new one is begun, under another id.
        """

    def where(self) -> str:
        """For a log: where the run is to be seen, and how it gets there if it does not yet."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """The values of one update are told, at an environment step that never falls."""

    def artifact(self, name: str, files: Sequence[Path], metadata: Mapping[str, Any]) -> None:
        """The files are kept with the run as they are now."""

    def end(self, ending: Ending) -> None:
        """All is told, and the run is closed; it may be begun again under its id."""
