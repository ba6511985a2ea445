"""How long a step of training takes, by its two parts."""

import time

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

__all__ = ["StepTimes"]


class StepTimes(BaseCallback):
    """Times the rollouts (SUMO and the policy) and the updates (learning) of a training."""

    def __init__(self) -> None:
        super().__init__()
        self._mark = 0.0
        self._first = 0
        self._times_s: dict[str, list[float]] = {"rollout": [], "update": []}

    def median_ms(self) -> dict[str, float]:
        """Part -> wall time for each environment step, median over the rollouts [ms].

        The median, because a machine that did something else for a while says nothing about us.
        """
        return {
            part: round(1000.0 * float(np.median(times_s)), 4)
            for part, times_s in self._times_s.items()
            if times_s
        }

    def _on_rollout_start(self) -> None:
        self._mark = time.perf_counter()
        self._first = self.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self._took("rollout")

    def _on_training_end(self) -> None:
        self._took("update")

    def _took(self, part: str) -> None:
        now = time.perf_counter()
        self._times_s[part].append((now - self._mark) / (self.num_timesteps - self._first))
        self._mark = now
