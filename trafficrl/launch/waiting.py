"""Until jobs end, and what is said of those that failed; where their output is found."""

import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from submitit import Job
from submitit.core.utils import FailedJobError, JobPaths, UncompletedJobError

from trafficrl.errors import RunError
from trafficrl.runs.paths import JOB_LOGS, RunPaths
from trafficrl.runs.record import read_record

__all__ = ["link_logs", "outcome", "wait_for"]

log = logging.getLogger(__name__)
GLANCE_S = 0.5
"""Between two looks at a job."""
GRACE_S = 20.0
"""A result may come so long after its job on a slow shared file system."""
OF_SLURM = ("srun: ", "slurmstepd: ")
"""Begin the lines that only tell that a job has failed."""
FRAME = re.compile(r"^-{20,}$\n?", re.MULTILINE)


def wait_for(jobs: Mapping[Path, Job[Any]], lives: Callable[[str], bool]) -> None:
    """All jobs have ended.

    Args:
        jobs: of each run folder.
        lives: whether the queue still has the job of that number.

    Raises:
        RunError: some failed; why, in one line each.
    """
    failed = []
    for folder, job in jobs.items():
        ended = wait_for_result(job, lives)
        why = outcome(folder, job) if ended else _reason(folder) or _last_printed(folder)
        log.info("job %s: %s: %s", job.job_id, folder, why or "done")
        if why:
            failed.append(f"job {job.job_id} ({folder}): {why}")
    if failed:
        raise RunError(f"{len(failed)} of {len(jobs)} jobs failed: " + "; ".join(failed))


def wait_for_result(job: Job[Any], lives: Callable[[str], bool]) -> bool:
    """The job has ended; False if it left no result behind, as one that was killed.

    Submitit itself asks accounting alone, which not every cluster has, and waits for ever without.
    """
    silent_s = 0.0
    while not job.paths.result_pickle.exists():
        if silent_s >= GRACE_S:
            return False
        silent_s = 0.0 if lives(job.job_id) else silent_s + GLANCE_S
        time.sleep(GLANCE_S)
    return True


def outcome(folder: Path, job: Job[Any]) -> str:
    """Why the job failed, once it has ended; empty if it did not."""
    try:
        job.results()
    except (FailedJobError, UncompletedJobError) as error:
        why = _reason(folder) or _last_words(error)
        return _last_printed(folder) if why.startswith(OF_SLURM) else why
    return ""


def link_logs(folder: Path, paths: JobPaths) -> Path:
    """JOB_LOGS in the run folder lead to what the job prints.

    Links, since submitit decides where a job's output goes, also that of Slurm itself about a job
    that never came to our code.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in zip(JOB_LOGS, (paths.stdout, paths.stderr), strict=True):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(target.resolve(), folder.resolve()))
    return Path(JOB_LOGS[0])


def _reason(folder: Path) -> str:
    run = RunPaths(folder).run
    if not run.is_file():
        return ""
    record = read_record(run)
    return str(record.get("reason") or "") if record.get("status") == "failed" else ""


def _last_printed(folder: Path) -> str:
    """Of a job that left nothing else; what Slurm tells of its end only if that is all."""
    for left_out in (OF_SLURM, ()):
        for printed in (folder / name for name in reversed(JOB_LOGS)):
            lines = printed.read_text(errors="replace").splitlines() if printed.is_file() else []
            said = [line.strip() for line in lines if line.strip()]
            said = [line for line in said if not line.startswith(left_out)]
            if said:
                return f"it ended without a result; {printed}: {said[-1]}"
    return "it ended without a result, and has printed nothing"


def _last_words(error: Exception) -> str:
    """The last line that is told of the job, which is not submitit's own.

    A traceback, or what a job without one has printed, stands behind a line of dashes; behind the
    traceback stand more dashes and where to look.
    """
    parts = FRAME.split(str(error))
    told = parts[1:-1] if isinstance(error, FailedJobError) else parts[1:]
    lines = "\n".join(told or parts).splitlines()
    # What goes on from the line above is indented.
    whole = [line.strip() for line in lines if line.strip() and not line.startswith(" ")]
    return whole[-1] if whole else type(error).__name__
