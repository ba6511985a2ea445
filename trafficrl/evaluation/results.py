"""The outcome of an evaluation: one JSON file for scripts, one table for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from trafficrl.evaluation.evaluator import EpisodeResult
from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.statistics import PairedDifference, paired_difference
from trafficrl.files import save_text

__all__ = ["Comparison"]


class Comparison:
    """Several controllers on the same episodes, each beside the first, the baseline."""

    def __init__(self, results: Sequence[EpisodeResult], *, confidence: float) -> None:
        self._results = list(results)
        self._confidence = confidence
        self.controllers = list(dict.fromkeys(result.controller for result in results))
        self.baseline = self.controllers[0]

    def mean(self, controller: str, metric: str) -> float:
        """Mean of a metric over the controller's episodes, in the metric's unit."""
        values = [getattr(result.metrics, metric) for result in self._of(controller)]
        return float(np.mean(values))

    def difference(self, controller: str, metric: str) -> PairedDifference:
        """Controller minus baseline on the same episodes."""
        return paired_difference(
            self._of(controller), self._of(self.baseline), metric, confidence=self._confidence
        )

    def as_dict(self) -> dict[str, Any]:
        """Means, paired differences and every episode."""
        others = self.controllers[1:]
        return {
            "baseline": self.baseline,
            "confidence": self._confidence,
            "means": {
                name: {metric: self.mean(name, metric) for metric in METRICS}
                for name in self.controllers
            },
            "paired_differences": {
                name: {metric: asdict(self.difference(name, metric)) for metric in METRICS}
                for name in others
            },
            "episodes": [asdict(result) for result in self._results],
        }

    def save(self, file: Path, **facts: Any) -> None:
        """The file holds the outcome and the facts given, or is as it was before."""
        file.parent.mkdir(parents=True, exist_ok=True)
        save_text(file, json.dumps(facts | self.as_dict(), indent=2) + "\n")

    def print(self, title: str) -> None:
        """The table, and one sentence a controller on what it is worth."""
        console = Console(soft_wrap=False)
        console.print(self._table(title))
        for name in self.controllers[1:]:
            console.print(self.verdict(name))

    def verdict(self, controller: str) -> str:
        """One sentence: less or more delay than the baseline, or not told apart."""
        delay = self.difference(controller, "delay_s")
        interval = f"{delay.low:+.1f} to {delay.high:+.1f} s ({self._confidence:.0%} interval)"
        if delay.low <= 0.0 <= delay.high:
            found = "cannot be told apart in delay"
        else:
            found = "has less delay" if delay.high < 0 else "has more delay"
        return (
            f"{controller} {found} than {self.baseline}: {delay.mean:+.1f} s, {interval}".replace(
                "told apart in delay than", "told apart in delay from"
            )
        )

    def _table(self, title: str) -> Table:
        table = Table(title=title)
        table.add_column("metric")
        for name in self.controllers:
            table.add_column(name, justify="right")
        for name in self.controllers[1:]:
            table.add_column(f"{name} - {self.baseline}", justify="right")
            table.add_column(f"{self._confidence:.0%} interval", justify="right")
        for metric, shown in METRICS.items():
            cells = [f"{shown.title} [{shown.unit}]" if shown.unit else shown.title]
            cells += [f"{self.mean(name, metric):.1f}" for name in self.controllers]
            for name in self.controllers[1:]:
                found = self.difference(name, metric)
                cells += [f"{found.mean:+.1f}", f"{found.low:+.1f} .. {found.high:+.1f}"]
            table.add_row(*[cell.replace("[", r"\[") for cell in cells])
        return table

    def _of(self, controller: str) -> list[EpisodeResult]:
        return [result for result in self._results if result.controller == controller]
