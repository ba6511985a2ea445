"""Signals reach the main process alone: it decides what an interrupt means for its workers."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

__all__ = ["ignore_signals", "shielded_children"]

SHIELDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


def ignore_signals() -> None:
    """This process leaves to its parent what a terminal or Slurm sends to all of a job."""
    for kind in SHIELDED:
        signal.signal(kind, signal.SIG_IGN)


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes started inside are safe from those signals until they `ignore_signals()`.

    The main process alone decides what an interrupt means; its workers end when it closes them, or
    when it is gone. A signal that comes inside reaches the main process at the end of the block.
    """
    # A process inherits what its parent blocks. Multiprocessing's tracker, when it is started,
    # would lift the block: so it is started before. It minds SIGUSR2 alone, which Slurm sends to
    # all processes of a job; what is ignored when it starts it goes on to ignore.
    handler = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    resource_tracker.ensure_running()
    signal.signal(signal.SIGUSR2, handler)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SHIELDED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
