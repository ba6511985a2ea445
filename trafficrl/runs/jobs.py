"""The job that a cluster was given for a run: `job.json`, written as it is submitted.

Until the job has begun this is all that tells of the run; later it leads to what the queue knows.
"""

import json
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from trafficrl.errors import RunError
from trafficrl.files import save_text
from trafficrl.runs.paths import RunPaths

__all__ = ["CLUSTERS", "Job", "load_job", "save_job"]

CLUSTERS = ("slurm", "local")
JOB = re.compile(r"\d{1,12}(_\d{1,12})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What was submitted for one run folder."""

    cluster: str
    """One of CLUSTERS; "local" is a process on the host that submitted it."""
    job: str
    """Its number; `12_3` is element 3 of the array 12, as `squeue -r` shows it."""
    submitted: datetime
    """With a time zone."""
    after: Path | None = None
    """Folder of the run with whose model it starts."""
    overrides: tuple[str, ...] = ()
    """Hydra's, of this run alone."""
    log: Path | None = None
    """What the job prints, from the run folder."""

    def __post_init__(self) -> None:
        if self.cluster not in CLUSTERS:
            raise ValueError(f"cluster is {self.cluster!r}; choices: {', '.join(CLUSTERS)}")
        if not JOB.fullmatch(self.job):
            raise ValueError(f"job is {self.job!r}, not a number like 12 or 12_3")
        if self.submitted.utcoffset() is None:
            raise ValueError(f"submitted is {self.submitted.isoformat()}, without a time zone")


def save_job(paths: RunPaths, job: Job) -> None:
    """The run folder, made if need be, says that this job was submitted for it.

    The run before is named as seen from this folder, so that both can be moved together.

    Raises:
        RunError: it cannot be written, and is as it was before.
    """
    after = job.after and os.path.relpath(job.after.resolve(), paths.root.resolve())
    facts = {
        "cluster": job.cluster,
        "job": job.job,
        "submitted": job.submitted.isoformat(timespec="seconds"),
        "after": after,
        "overrides": list(job.overrides),
        "log": job.log and job.log.as_posix(),
    }
    try:
        paths.root.mkdir(parents=True, exist_ok=True)
        save_text(paths.job, json.dumps(facts, indent=2) + "\n")
    except OSError as error:
        raise RunError(f"{paths.job} cannot be written: {error.strerror}") from error


def load_job(paths: RunPaths) -> Job | None:
    """The job of the run folder, `after` as an absolute path; None if it has none.

    Raises:
        RunError: the file is damaged or cannot be read.
    """
    try:
        facts = json.loads(paths.job.read_text(encoding="utf-8"))
        return _job(paths, facts)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{paths.job}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{paths.job}: damaged: {error}") from error


def _job(paths: RunPaths, facts: Any) -> Job:
    if not isinstance(facts, dict):
        raise TypeError(f"it holds a {type(facts).__name__}")
    missing = [name for name in ("cluster", "job", "submitted") if facts.get(name) is None]
    if missing:
        raise ValueError(f"without {', '.join(missing)}")
    after, log = _text(facts, "after"), _text(facts, "log")
    overrides = facts.get("overrides", [])
    if not (isinstance(overrides, list) and all(isinstance(word, str) for word in overrides)):
        raise TypeError("overrides is no list of texts")
    return Job(
        cluster=_text(facts, "cluster") or "",
        job=_text(facts, "job") or "",
        submitted=datetime.fromisoformat(_text(facts, "submitted") or ""),
        after=Path(os.path.normpath(paths.root.resolve() / after)) if after else None,
        overrides=tuple(overrides),
        log=Path(log) if log else None,
    )


def _text(facts: dict[str, Any], name: str) -> str | None:
    value = facts.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value
