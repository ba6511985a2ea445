"""What something costs: wall time, and processor time of this process and all that it waited for.

On a machine that others use too, wall time swings by half; processor time far less.
"""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import psutil
import sumo

__all__ = ["SUMO", "Cost", "Meter", "family", "in_child", "run_together"]

SUMO = Path(sumo.SUMO_HOME) / "bin" / "sumo"
"""The bare program."""
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run."""

    wall_s: float
    cpu_s: float
    """User and system time."""

    def without(self, other: "Cost") -> "Cost":
        """What remains when that is taken off."""
        return Cost(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


class Meter:
    """Runs from when it is made.

    Args:
        workers: processes that run on, whose processor time counts too, with that of their forks.
    """

    def __init__(self, workers: Sequence[int] = ()) -> None:
        self._workers = [psutil.Process(pid) for pid in workers]
        self._wall_s, self._cpu_s = time.perf_counter(), self._processor_s()

    def read(self) -> Cost:
        """The cost so far."""
        return Cost(time.perf_counter() - self._wall_s, self._processor_s() - self._cpu_s)

    def _processor_s(self) -> float:
        ended = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        running = (one.cpu_times() for worker in self._workers for one in family(worker))
        return sum(one.ru_utime + one.ru_stime for one in ended) + sum(
            one.user + one.system + one.children_user + one.children_system for one in running
        )


def family(worker: psutil.Process) -> list[psutil.Process]:
    """A worker and the fork that serves its episode."""
    return [worker, *worker.children(recursive=True)]


def in_child(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns in a fresh process: libsumo is one state a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def run_together(commands: Sequence[Sequence[str]]) -> Cost:
    """What it costs to run all commands at the same time, each to its end.

    Raises:
        RuntimeError: one of them failed.
    """
    environment = {**os.environ, "SUMO_HOME": sumo.SUMO_HOME}
    meter = Meter()
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        for command in commands
    ]
    codes = [process.wait() for process in running]
    cost = meter.read()
    if any(codes):
        raise RuntimeError(f"a command failed ({codes}): {commands[0]}")
    return cost
