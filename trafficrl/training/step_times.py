"""How long a step of training takes, by its two parts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["StepTimes"]


class StepTimes:
    """Times the rollouts (SUMO and the policy) and the updates (learning) of a training."""

    def __init__(self) -> None:
        self._times_s: dict[str, list[float]] = {"rollout": [], "update": []}

    @contextmanager
    def timed(self, part: str, *, steps: int) -> Iterator[None]:
        """The block was that part of so many environment steps."""
        begin = time.perf_counter()
        yield
        self._times_s[part].append((time.perf_counter() - begin) / steps)

    def median_ms(self) -> dict[str, float]:
        """Part -> wall time for each environment step, median over the rollouts [ms].

        The median, because a machine that did something else for a while says nothing about us.
        """
        return {
            part: round(1000.0 * float(np.median(times_s)), 4)
            for part, times_s in self._times_s.items()
            if times_s
        }

    def steps_per_s(self) -> float | None:
        """Environment steps in a second of rollout and update, by the same medians."""
        times_ms = self.median_ms()
        return round(1000.0 / sum(times_ms.values()), 3) if len(times_ms) == 2 else None
