"""Runs each episode in a fork of a process that has never run SUMO, and is rid of what SUMO leaves.

Such a process has imported and built what all episodes share, so that a fork begins at once. It
waits while its fork works, and both end together.
"""

import ctypes
import gc
import os
import resource
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn, TypeVar

import numpy.ma  # noqa: F401 - NumPy itself would import it late, in each fork again

from trafficrl.errors import TrafficRLError

__all__ = ["Failure", "attempt", "in_fork", "prepare_forks"]

Answer = TypeVar("Answer")
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """What was raised in place of an answer."""

    error: Exception


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, or a Failure."""
    try:
        return function(*arguments)
    except (TrafficRLError, OSError) as error:
        return Failure(error)
    except Exception:  # noqa: BLE001 - a mistake of ours: it must be told over there, not here
        return Failure(RuntimeError(f"in a process of its own:\n{traceback.format_exc()}"))


def prepare_forks() -> None:
    """All that is there so far is for the forks too; no collection of garbage need look at it."""
    gc.collect()
    gc.freeze()


def in_fork(work: Callable[[], Answer]) -> Answer:
    """What `work` returned, in a fork of this process that is gone then.

    A fork that dies takes this process with it in the same way, and is killed with it.

    Raises:
        Exception: what was raised over there.
    """
    parent = os.getpid()
    ours, theirs = Pipe(duplex=False)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what waits there would be written by both
    with warnings.catch_warnings():
        # Python 3.12 warns of threads, whose locks stay locked in a fork. There are NumPy's, which
        # sees to that, and the one that waits for the end of an evaluation's worker.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        ours.close()
        _work(work, theirs, parent)
    theirs.close()
    with ours:
        try:
            answer: Answer | Failure = ours.recv()
            told = True
        except (EOFError, OSError):
            told = False
    _, status = os.waitpid(child, 0)
    if not told:
        _end_as(os.waitstatus_to_exitcode(status))
    if isinstance(answer, Failure):
        raise answer.error
    return answer


def _work(work: Callable[[], Answer], pipe: Connection, parent: int) -> NoReturn:
    """The whole life of a fork. It ends without Python's own end, which is its parent's."""
    code = 1
    try:
        _die_with(parent)
        pipe.send(attempt(work))
        code = 0
    except BrokenPipeError:
        pass  # the parent has gone
    except BaseException:  # noqa: BLE001 - whatever it is must not go on in what the parent did
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _die_with(parent: int) -> None:
    """This process is killed when its parent is gone; elsewhere than on Linux it ends later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has gone before
            os._exit(1)


def _end_as(code: int) -> NoReturn:
    """This process ends as its fork did: killed by a signal (negative), or with that exit code."""
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the fork has left one, if anybody
        with suppress(OSError):  # there is no other way to take SIGKILL
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code or 1)
