"""Jobs of a real Slurm for tests; where none answers, the tests that need one say so."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

WAIT_S = 300.0
"""Other jobs may hold the processors for a while."""


def no_slurm() -> str:
    """Why there is no Slurm here, or ""."""
    try:
        done = subprocess.run(
            ["sinfo", "--noheader"], capture_output=True, text=True, timeout=10, check=False
        )
    except FileNotFoundError:
        return "there is no Slurm here: no command sinfo"
    except subprocess.TimeoutExpired:
        return "there is no Slurm here: sinfo has not answered in 10 s"
    answer = " ".join(done.stderr.split())
    return f"there is no Slurm here: {answer}" if done.returncode or not done.stdout else ""


NO_SLURM = no_slurm()
needs_slurm = pytest.mark.skipif(bool(NO_SLURM), reason=NO_SLURM)


@contextmanager
def submitted(command: str, *options: str) -> Iterator[str]:
    """The number of a job that runs this; it is cancelled at the end of the block."""
    words = ["sbatch", "--parsable", "--ntasks=1", "--output=/dev/null", *options]
    done = subprocess.run([*words, f"--wrap={command}"], capture_output=True, text=True, check=True)
    job = done.stdout.strip()
    try:
        yield job
    finally:
        subprocess.run(["scancel", job], check=True)


def wait_for(true: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    """Until it is so."""
    end_s = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < end_s, f"not so after {wait_s:g} s"
        time.sleep(0.5)  # asking Slurm takes processor time from what is waited for
