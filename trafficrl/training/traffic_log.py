"""Gathers over a rollout what the traffic did, so that an update's row tells more than rewards."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["TrafficLog"]


class TrafficLog:
    """Means of every reward term, and of every finished episode's totals, over a rollout."""

    def __init__(self, values: Mapping[str, Sequence[float]] | None = None) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)
        """Name -> one value a step or episode."""
        for name, numbers in (values or {}).items():
            self.values[name].extend(numbers)

    def add(self, infos: Sequence[Mapping[str, Any]]) -> None:
        """What the environments told of one step; who has nothing to tell is silent."""
        for info in infos:
            for name, value in info.get("reward_terms", {}).items():
                self.values[f"reward/{name}"].append(value)
            for name, value in info.get("traffic", {}).items():
                self.values[f"traffic/{name}"].append(value)

    def take(self) -> dict[str, float]:
        """Name -> mean; nothing is remembered of them."""
        means = {name: float(np.mean(values)) for name, values in self.values.items()}
        self.values.clear()
        return means
