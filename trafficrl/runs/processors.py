"""The processors that this process may use: those of its job, not those of the machine."""

import os

__all__ = ["processors"]


def processors() -> int:
    """How many, at least 1.

    Slurm names a task's share even where it does not bind the task to it
    (`SLURM_CPUS_PER_TASK`, sbatch(1)); elsewhere what the process is bound to counts.
    """
    bound = len(os.sched_getaffinity(0))
    share = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return max(1, min(bound, int(share))) if share.isdigit() else bound
