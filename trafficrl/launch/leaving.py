"""How the process of a job ends that was told to stop: so that the job is begun again."""

import logging
import signal
import subprocess
import sys
import time
from typing import NoReturn

from trafficrl.runs.stop import Stopped

__all__ = ["leave"]

log = logging.getLogger(__name__)
ASK_AGAIN_AFTER_S = (1.0, 3.0, 10.0, 20.0)
"""Slurm's controller may be busy, or away for a moment; within its grace time it can be asked
again."""


def leave(stopped: Stopped) -> NoReturn:
    """The process ends, and the job is begun again where somebody sees to that.

    SIGTERM comes from who takes the job away: Slurm itself begins it again after a requeue or a
    preemption. Ahead of a time limit nobody would: submitit's handler, which holds the signal
    again by now, requeues the job.

    Raises:
        subprocess.SubprocessError: Slurm would not requeue it, however often it was asked.
    """
    if str(stopped) in (signal.SIGTERM.name, signal.SIGINT.name):
        sys.exit(128 + signal.Signals[str(stopped)].value)
    # A second signal amid its work would begin that work again within itself, and fail.
    requeue = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    assert callable(requeue), "submitit handles SIGUSR2 in a job"
    for pause_s in ASK_AGAIN_AFTER_S:
        try:
            requeue(signal.SIGUSR2, None)
        except subprocess.SubprocessError as error:  # noqa: PERF203 - it waits anyway
            log.warning("the job is not requeued yet (%s): asked again in %g s", error, pause_s)
            time.sleep(pause_s)
    requeue(signal.SIGUSR2, None)
    raise AssertionError("submitit's handler of SIGUSR2 does not return")
