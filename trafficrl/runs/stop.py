"""How a run ends before its time without losing anything: signals, and its own time limit.

The first SIGINT, SIGTERM or SIGUSR2 asks the run to stop; where it must not be torn apart it goes
on to the next whole state. A second SIGINT (Ctrl-C) ends the process at once, as it stands; the
others may come again, since Slurm repeats them (a warning, then SIGTERM once or twice) before it
kills.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["STOPPED_EXIT_CODE", "StopRequest", "Stopped", "uninterrupted"]

STOPPED_EXIT_CODE = 75
"""`EX_TEMPFAIL` of sysexits.h: not done yet, the same command goes on."""
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a command: Ctrl-C, somebody's kill, a login that is gone."""
HEARD_WITHIN_S = 0.5
LEAST_MARGIN_S, MOST_MARGIN_S, MARGIN_SHARE = 1.0, 30.0, 0.1
"""How long before its time limit a run stops: a step has to end and a checkpoint to be written."""


class Stopped(KeyboardInterrupt):
    """The run was asked to stop, and has.

    A KeyboardInterrupt, since no part of the program may take it for an error and go on.
    """

    again = ""
    """The override by which the same command comes to its folder again, once that is known."""


class StopRequest:
    """Asks the code inside the context to stop when a signal comes or the time is over.

    Signals are Python's to give to the main thread alone. In another one nothing is changed about
    them, and the end of the time is heard at the next `check()`.

    Args:
        time_limit_s: wall-clock time that the run may take from now on [s]; None for any.

    Raises:
        Stopped: wherever the process is when the request comes, unless inside `deferred()`.

    Example:
        with StopRequest() as stop:
            with stop.deferred():
                while not stop.reason:
                    step()
    """

    def __init__(self, *, time_limit_s: float | None = None) -> None:
        self.reason = ""
        """Why to stop; empty while nothing asks for it."""
        self._time_limit_s = time_limit_s
        self._deferred = 0

    def __enter__(self) -> "StopRequest":
        self._before: dict[signal.Signals, Any] = {}
        self._timer: threading.Timer | None = None
        left_s = None
        if self._time_limit_s is not None:
            margin_s = self._time_limit_s * MARGIN_SHARE
            margin_s = min(max(margin_s, LEAST_MARGIN_S), MOST_MARGIN_S)
            left_s = max(self._time_limit_s - margin_s, 0.001)
        if threading.current_thread() is threading.main_thread():
            handled = (*STOPPING, signal.SIGALRM)
            self._before = {kind: signal.signal(kind, self._on_signal) for kind in handled}
            if left_s is not None:
                signal.setitimer(signal.ITIMER_REAL, left_s)
        elif left_s is not None:
            self._timer = threading.Timer(left_s, self._time_is_over)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._before:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        for kind, handler in self._before.items():
            signal.signal(kind, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A request only sets `reason` in the block; nothing in it is torn apart.

        Raises:
            Stopped: behind the block, where a request came in it that nothing has answered.
        """
        self._deferred += 1
        try:
            yield
        finally:
            self._deferred -= 1
        if not self._deferred:
            self.check()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside `deferred()`: this block may be torn apart, for it is done again as a whole.

        Raises:
            Stopped: the run is to stop, now or already before.
        """
        self.check()
        before, self._deferred = self._deferred, 0
        try:
            yield
        finally:
            self._deferred = before

    def check(self) -> None:
        """Return unless the run is to stop.

        Raises:
            Stopped: it is.
        """
        if self.reason:
            raise Stopped(self.reason)

    def instead_of(self, error: BaseException) -> BaseException:
        """What really ended the run: an error, or a stop that led to one.

        Slurm, and Ctrl-C, signal every process. A program that the run has started (netconvert) may
        have died of that, and the run of its death, before the run itself has heard the signal.
        """
        try:
            if isinstance(error, Exception):
                time.sleep(HEARD_WITHIN_S)
                self.check()
        except Stopped as stopped:
            return stopped
        return error

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGALRM:
            if self.reason:
                return
            self._time_is_over()
        elif self.reason:
            if number == signal.SIGINT:
                os._exit(128 + number)
            return
        else:
            self.reason = signal.Signals(number).name
        if not self._deferred:
            raise Stopped(self.reason)

    def _time_is_over(self) -> None:
        self.reason = self.reason or "time limit"


@contextmanager
def uninterrupted() -> Iterator[None]:
    """What would end the process waits behind the block; what it calls there is spared as well.

    Handlers, since a signal may reach any thread; and a mask, since others inherit only that.
    """
    came: list[int] = []
    before = {kind: signal.signal(kind, lambda number, _: came.append(number)) for kind in ENDING}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for kind, handler in before.items():
            signal.signal(kind, handler)
    if came:
        signal.raise_signal(came[0])
