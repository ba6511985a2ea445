"""Temporary: until runs/queue.py."""

import subprocess
from collections.abc import Iterable


def alive(jobs: Iterable[str]) -> set[str]:
    """."""
    jobs = list(jobs)
    if not jobs:
        return set()
    done = subprocess.run(
        ["squeue", "-r", "-h", "-o", "%i", "-j", ",".join(jobs)],
        capture_output=True,
        text=True,
        check=False,
    )
    return set(done.stdout.split()) & set(jobs)
