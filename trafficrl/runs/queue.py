"""What the queue of a cluster knows of jobs; only this module calls `squeue`, `sacct`, `scancel`.

Each answer costs the cluster's controller something, so one call asks for all jobs, and a table
that is drawn every two seconds does not ask as often.
"""

import logging
import os
import re
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timezone

from trafficrl.errors import RunError
from trafficrl.runs.facts import one_line

__all__ = ["Answer", "Queue", "QueuedJob", "cancel", "parse_sacct", "parse_squeue"]

log = logging.getLogger(__name__)
TIMEOUT_S = 10.0
AGAIN_AFTER_S = 15.0
"""No sooner is the controller asked once more for the same jobs."""
MOST_NAMED = 1000
"""Of more jobs than these, all that the queue holds are asked for: a command line is short."""
COLUMNS = ("JobArrayID", "State", "RestartCnt", "StartTime", "Reason")
"""The reason comes last: it is the one text that an administrator may write."""
JOB = re.compile(r"\d+(_\d+)?")
NOT_KNOWN = "Invalid job id"
"""What squeue says, as an error, where the only job that it is asked for is gone."""
WAITING = {
    *("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD"),
    "SPECIAL_EXIT",
}
RUNNING = {
    *("RUNNING", "COMPLETING", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"),
}
"""Slurm's words for a job that has its processors; in any other state it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """What the queue says of one job; None for what it does not tell."""

    state: str
    """Slurm's word."""
    reason: str | None = None
    """Why it waits, or how it ended; Slurm's word."""
    requeues: int | None = None
    start: datetime | None = None
    """When it began, or is expected to."""

    @property
    def waits(self) -> bool:
        """It has not begun, or waits to begin once more."""
        return self.state in WAITING

    @property
    def runs(self) -> bool:
        """It has been given its processors."""
        return self.state in RUNNING

    @property
    def lives(self) -> bool:
        """It has not ended."""
        return self.waits or self.runs


@dataclass(frozen=True, slots=True)
class Answer:
    """What the queue knew at a moment."""

    jobs: dict[str, QueuedJob]
    """By number, `12` or `12_3`."""
    asked: datetime


class Queue:
    """Asks Slurm, time and again."""

    def __init__(self) -> None:
        self.trouble = ""
        """Why the queue gave no answer to the last question; one line."""
        self._answer: Answer | None = None
        self._wanted: frozenset[str] = frozenset()
        self._next_s = 0.0
        self._past: dict[str, QueuedJob | None] = {}

    def ask(self, jobs: Collection[str]) -> Answer | None:
        """What the queue knows of these jobs, now or a few seconds ago; None if it is not told.

        A job that is not in the answer is one that the queue does not know, or no longer.
        """
        if time.monotonic() >= self._next_s or not self._wanted.issuperset(jobs):
            self._wanted = frozenset(jobs)
            asked = datetime.now(timezone.utc)
            known = self._squeue(jobs)
            self._answer = None if known is None else Answer(known, asked)
            self._next_s = time.monotonic() + AGAIN_AFTER_S
        return self._answer

    def recall(self, jobs: Collection[str]) -> dict[str, QueuedJob]:
        """How these jobs ended, which squeue does not know any more; as far as sacct tells."""
        asked = sorted(set(jobs) - self._past.keys())
        if asked:
            words = ["--noheader", "--parsable2", "--allocations", "-o", "JobID,State"]
            said, trouble = _said("sacct", *words, "-j", ",".join(asked))
            if trouble:
                log.debug("%s", trouble)
            ended = parse_sacct(said)
            self._past |= {job: ended.get(job) for job in asked}
        return {job: past for job in jobs if (past := self._past.get(job)) is not None}

    def _squeue(self, jobs: Collection[str]) -> dict[str, QueuedJob] | None:
        numbers = sorted({job.partition("_")[0] for job in jobs})
        named = ["-j", ",".join(numbers)] if len(numbers) <= MOST_NAMED else []
        columns = ",".join(f"{column}:|" for column in COLUMNS)
        words = ["--noheader", "--array", "--all", "--states=all", "-O", columns]
        said, self.trouble = _said("squeue", *words, *named)
        if NOT_KNOWN in self.trouble:
            self.trouble = ""
        try:
            found = parse_squeue(said)
        except ValueError as error:
            self.trouble = str(error)
        return None if self.trouble else found


def cancel(job: str) -> None:
    """The job is taken out of the queue, if it is still in it.

    Raises:
        RunError: the queue does not do it.
    """
    _, trouble = _said("scancel", job)
    if trouble and NOT_KNOWN not in trouble:
        raise RunError(f"job {job} cannot be cancelled: {trouble}")


def parse_squeue(said: str) -> dict[str, QueuedJob]:
    """The jobs in what squeue printed; its times are read as UTC.

    Args:
        said: a line for each job, each of COLUMNS with `|` behind it; others, such as those that
            name a cluster, tell of no job.

    Raises:
        ValueError: it tells of jobs in another form, as an older Slurm may: no job is lost then.
    """
    found = {}
    other = ""
    for line in said.splitlines():
        cells = line.rstrip().removesuffix("|").split("|", len(COLUMNS) - 1)
        if len(cells) == len(COLUMNS) and JOB.fullmatch(cells[0]):
            job, state, requeues, start, reason = cells
            found[job] = QueuedJob(
                state=state,
                reason=None if reason in {"", "None"} else reason,
                requeues=int(requeues) if requeues.isdecimal() else None,
                start=_time(start),
            )
        elif JOB.match(line.strip()):
            other = other or one_line(line)
    if other and not found:
        raise ValueError(f"squeue answers in a form that is not known: {other}")
    return found


def parse_sacct(said: str) -> dict[str, QueuedJob]:
    """The jobs in what sacct printed that have ended.

    Of a job that squeue has forgotten, no other state is true: the accounts have lost its end.

    Args:
        said: a line `job|state` for each job; the state may have more words, as in
            `CANCELLED by 1000`.
    """
    found = {}
    for line in said.splitlines():
        job, _, rest = line.partition("|")
        words = re.findall(r"[A-Z_]+", rest)
        if JOB.fullmatch(job) and words and words[0] not in WAITING | RUNNING:
            found[job] = QueuedJob(state=words[0])
    return found


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    except ValueError:  # N/A, Unknown
        return None


def _said(command: str, *words: str) -> tuple[str, str]:
    """What a command of Slurm printed, and in one line why it failed.

    The user's own settings of these commands would hide jobs and change how times are written.
    """
    own = ("SQUEUE_", "SACCT_", "SLURM_TIME_FORMAT")
    settings = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    try:
        done = subprocess.run(
            [command, *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT_S,
            env=settings | {"TZ": "UTC"},
        )
    except FileNotFoundError:
        return "", f"there is no {command} on this host"
    except OSError as error:
        return "", f"{command} cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        return "", f"{command} has not answered in {TIMEOUT_S:g} s"
    if done.returncode:
        told = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        return "", told if told.startswith(command) else f"{command}: {told}"
    return done.stdout, ""
