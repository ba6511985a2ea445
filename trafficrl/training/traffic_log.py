"""Gathers over a rollout what the traffic did, so that an update's row tells more than rewards."""

from collections import defaultdict

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

__all__ = ["TrafficLog"]


class TrafficLog(BaseCallback):
    """Records the mean of every reward term, and of every finished episode's totals."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, list[float]] = defaultdict(list)

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            for name, value in info["reward_terms"].items():
                self._values[f"reward/{name}"].append(value)
            for name, value in info.get("traffic", {}).items():
                self._values[f"traffic/{name}"].append(value)
        return True

    def _on_rollout_end(self) -> None:
        for name, values in self._values.items():
            self.logger.record(name, float(np.mean(values)))
        self._values.clear()
