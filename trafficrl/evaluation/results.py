"""The outcome of an evaluation: one JSON file for scripts, one table for people."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from trafficrl.errors import ConfigError, unknown_name
from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.outcome import EpisodeResult
from trafficrl.evaluation.slices import SliceMetrics, pool_slices
from trafficrl.evaluation.statistics import (
    PairedDifference,
    completion_differs,
    find_diverged,
    interquartile_mean,
    paired_difference,
)
from trafficrl.files import save_text

__all__ = ["Comparison"]


class Comparison:
    """Several controllers on the same episodes, each beside the first, the baseline.

    Every method that is given a name raises ConfigError where nobody or nothing has it.
    """

    def __init__(self, results: Sequence[EpisodeResult], *, confidence: float) -> None:
        self.results = list(results)
        self.confidence = confidence
        self.controllers = list(dict.fromkeys(result.controller for result in results))
        self.scenarios = list(dict.fromkeys(result.scenario for result in results))
        self.baseline = self.controllers[0]

    @cached_property
    def metrics(self) -> list[str]:
        """Those that were measured in every episode."""
        return [
            name
            for name in METRICS
            if all(getattr(result.metrics, name) is not None for result in self.results)
        ]

    @cached_property
    def completion_differs(self) -> bool:
        """Not as many vehicles arrived under one controller as under another."""
        return completion_differs(self.results)

    @cached_property
    def by_delay(self) -> list[str]:
        """The controllers, the one with the least delay first."""
        return sorted(self.controllers, key=lambda name: self.mean(name, "delay_s"))

    @cached_property
    def has_intervals(self) -> bool:
        """Whether chance can be estimated: not where a scenario has one seed."""
        parts = map(self.of_scenario, self.scenarios)
        return all(part.num_episodes(part.baseline) > 1 for part in parts)

    def of_scenario(self, scenario: str) -> "Comparison":
        """The same controllers on one scenario alone."""
        _check_known("scenario", scenario, self.scenarios)
        results = [result for result in self.results if result.scenario == scenario]
        return Comparison(results, confidence=self.confidence)

    def mean(self, controller: str, metric: str) -> float:
        """Mean of a metric over the controller's episodes, in the metric's unit."""
        return float(np.mean(self._values(controller, metric)))

    def interquartile_mean(self, controller: str, metric: str) -> float:
        """Mean over the scenarios of the mean of each one's middle half, in the metric's unit."""
        parts = [self.of_scenario(name) for name in self.scenarios]
        means = [interquartile_mean(part._values(controller, metric)) for part in parts]
        return float(np.mean(means))

    def num_diverged(self, controller: str) -> int:
        """Episodes of the controller that ended in gridlock."""
        _check_known("controller", controller, self.controllers)
        return sum(name == controller for name, _, _ in self._diverged)

    def num_episodes(self, controller: str) -> int:
        """Episodes of the controller."""
        return len(self._of(controller))

    def difference(self, controller: str, metric: str) -> PairedDifference:
        """Controller minus baseline on the same episodes."""
        _check_known("metric", metric, self.metrics)
        return paired_difference(
            self._of(controller), self._of(self.baseline), metric, confidence=self.confidence
        )

    def as_dict(self) -> dict[str, Any]:
        """Means, paired differences and every episode."""
        return {
            "baseline": self.baseline,
            "confidence": self.confidence,
            "means": self._of_each(self.controllers, self.mean),
            "interquartile_means": self._of_each(self.controllers, self.interquartile_mean),
            "paired_differences": self._of_each(
                self.controllers[1:], lambda *names: asdict(self.difference(*names))
            ),
            "diverged": {name: self.num_diverged(name) for name in self.controllers},
            "not_to_be_ranked": [
                name
                for name, metric in METRICS.items()
                if metric.needs_completion and self.completion_differs
            ],
            "slices": self._slices(),
            "episodes": [episode_dict(result) for result in self.results],
        }

    def save(self, file: Path, **facts: Any) -> None:
        """The file holds the outcome and the facts given, or is as it was before."""
        file.parent.mkdir(parents=True, exist_ok=True)
        save_text(file, json.dumps(facts | self.as_dict(), indent=2) + "\n")

    def verdict(self, controller: str) -> str:
        """One sentence: less or more delay than the baseline, or not told apart."""
        delay = self.difference(controller, "delay_s")
        interval = "no interval from one seed a scenario"
        found = "cannot be told apart in delay from"
        if delay.low is not None and delay.high is not None:
            interval = f"{delay.low:+.1f} to {delay.high:+.1f} s ({self.confidence:.0%} interval)"
            if delay.high < 0:
                found = "has less delay than"
            elif delay.low > 0:
                found = "has more delay than"
        return f"{controller} {found} {self.baseline}: {delay.mean:+.1f} s, {interval}"

    def _of(self, controller: str) -> list[EpisodeResult]:
        _check_known("controller", controller, self.controllers)
        return [result for result in self.results if result.controller == controller]

    def _values(self, controller: str, metric: str) -> list[float]:
        _check_known("metric", metric, self.metrics)
        return [getattr(result.metrics, metric) for result in self._of(controller)]

    @cached_property
    def _diverged(self) -> set[tuple[str, str, int]]:
        return find_diverged(self.results)

    def _of_each(
        self, controllers: Sequence[str], value: Callable[[str, str], Any]
    ) -> dict[str, dict[str, Any]]:
        return {
            name: {metric: value(name, metric) for metric in self.metrics} for name in controllers
        }

    def _slices(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """By controller and scenario, the episodes taken together."""
        found: dict[str, dict[str, list[SliceMetrics]]] = {}
        for result in self.results:
            by_scenario = found.setdefault(result.controller, {})
            by_scenario.setdefault(result.scenario, []).extend(result.slices)
        return {
            name: {
                scenario: [asdict(one) for one in pool_slices(slices)]
                for scenario, slices in by_scenario.items()
            }
            for name, by_scenario in found.items()
        }


def _check_known(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise ConfigError(unknown_name(what, name, known))


def episode_dict(result: EpisodeResult) -> dict[str, Any]:
    """The episode without its slices and queues, which the database keeps one by one."""
    values = asdict(replace(result, slices=(), edge_queue_veh={}, slice_queues=None))
    for kept_elsewhere in ("slices", "edge_queue_veh", "slice_queues"):
        del values[kept_elsewhere]
    return values
