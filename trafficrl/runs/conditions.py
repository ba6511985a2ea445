"""What can be known of a run from outside, and the words for where it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

__all__ = ["Condition", "RunState"]


class Condition(Enum):
    """Where a run stands, as far as can be told from here; those that matter come first."""

    running = "running"
    elsewhere = "running?"
    """It says so, on another host."""
    silent = "silent"
    """As before, and it has not been heard of for a while."""
    gone = "gone"
    """It says that it runs, and its process or its job has ended."""
    lost = "lost"
    """It was submitted, nothing was written, and its queue does not know it any more."""
    failed = "failed"
    cancelled = "cancelled"
    """Its job was cancelled before the training began."""
    damaged = "damaged"
    """`run.json` cannot be read."""
    unknown = "unknown"
    """`run.json` says nothing that this version understands."""
    pending = "pending"
    """Its job waits: for the first time, or again after it was requeued."""
    submitted = "submitted"
    """Nothing was written yet, and its queue has not been asked."""
    stopped = "stopped"
    finished = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What is known of a run; None for what neither its folder nor a queue tells."""

    name: str
    folder: Path
    condition: Condition
    note: str = ""
    """Why it ended or waits, or what to mind; one line."""
    host: str | None = None
    pid: int | None = None
    started: datetime | None = None
    updated: datetime | None = None
    timesteps: int | None = None
    total_timesteps: int | None = None
    steps_per_s: float | None = None
    eta_s: float | None = None
    """What was left when it was last updated."""
    last_score: float | None = None
    best_score: float | None = None
    crashes: int | None = None
    resumes: int | None = None
    last_checkpoint: datetime | None = None
    cluster: str | None = None
    job: str | None = None
    """Its number on the cluster, `12` or `12_3`."""
    submitted: datetime | None = None
    after: Path | None = None
    """Folder of the run with whose model it starts."""
    log: Path | None = None
    """What the job prints, from the run folder."""
    queue_state: str | None = None
    queue_reason: str | None = None
    """Why the job waits, or how it ended; both in the queue's own words."""
    requeues: int | None = None
    start_expected: datetime | None = None
    """Of a job that waits."""
