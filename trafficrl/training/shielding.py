"""What worker processes do not get from the main process: its signals, and its script.

It alone decides what an interrupt means for its workers.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import ModuleType

__all__ = ["ignore_signals", "shielded_children"]

SHIELDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


def ignore_signals() -> None:
    """This process leaves to its parent what a terminal or Slurm sends to all of a job."""
    for kind in SHIELDED:
        signal.signal(kind, signal.SIG_IGN)


def start_tracker() -> None:
    """Multiprocessing's tracker runs, and SIGUSR2, which it alone would mind, does not end it.

    Slurm sends that to all processes of a job; what is ignored when a program starts it goes on to
    ignore. Only the main thread may say so, and only that is asked to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        resource_tracker.ensure_running()
        return
    handler = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        resource_tracker.ensure_running()
    finally:
        signal.signal(signal.SIGUSR2, handler)


@contextmanager
def without_script() -> Iterator[None]:
    """Processes started inside do not run the script again that this process was started with.

    Multiprocessing would, for what a script defines; what our workers do is all in modules. A
    user's script needs no `if __name__ == "__main__"` then, and a command's is not imported again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes started inside are safe from those signals until they `ignore_signals()`.

    They begin `without_script()`.

    The main process alone decides what an interrupt means; its workers end when it closes them, or
    when it is gone. A signal that comes inside reaches the main process at the end of the block.
    """
    # A process inherits what its parent blocks. Multiprocessing's tracker, when it is started,
    # would lift the block: so it is started before.
    start_tracker()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SHIELDED)
    try:
        with without_script():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
