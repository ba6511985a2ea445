"""The outcome of an evaluation: one JSON file for scripts, one table for people."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from trafficrl.evaluation.evaluator import EpisodeResult
from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.statistics import PairedDifference, paired_difference
from trafficrl.files import save_text

__all__ = ["Comparison"]

HEADING_WIDTH = 12
"""Where the name of a controller, which may be a path, goes on in the next line."""


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
        """A table for each controller beside the baseline, and one sentence on what it is worth."""
        console = Console(markup=False, emoji=False, highlight=False)
        for table in self._tables(title):
            console.print(table)
        for name in self.controllers[1:]:
            console.print(self.verdict(name))

    def verdict(self, controller: str) -> str:
        """One sentence: less or more delay than the baseline, or not told apart."""
        delay = self.difference(controller, "delay_s")
        interval = "no interval from one seed a scenario"
        found = "cannot be told apart in delay from"
        if delay.low is not None and delay.high is not None:
            interval = f"{delay.low:+.1f} to {delay.high:+.1f} s ({self._confidence:.0%} interval)"
            if delay.high < 0:
                found = "has less delay than"
            elif delay.low > 0:
                found = "has more delay than"
        return f"{controller} {found} {self.baseline}: {delay.mean:+.1f} s, {interval}"

    def _tables(self, title: str) -> Iterator[Table]:
        """One a controller, because more of them side by side would not fit on a terminal."""
        if len(self.controllers) == 1:
            yield self._table(title, [self.baseline], [])
        for name in self.controllers[1:]:
            headings = ["difference", f"{self._confidence:.0%} interval"]
            yield self._table(title, [self.baseline, name], headings)

    def _table(self, title: str, names: list[str], headings: list[str]) -> Table:
        table = Table(title=title)
        table.add_column("metric")
        for heading in (*names, *headings):
            folded = "\n".join(wrap(heading, HEADING_WIDTH))
            table.add_column(folded, justify="right", no_wrap=True)
        for metric, shown in METRICS.items():
            cells = [f"{shown.title} [{shown.unit}]" if shown.unit else shown.title]
            cells += [f"{self.mean(name, metric):.1f}" for name in names]
            if headings:
                cells += difference_cells(self.difference(names[1], metric))
            table.add_row(*cells)
        return table

    def _of(self, controller: str) -> list[EpisodeResult]:
        return [result for result in self._results if result.controller == controller]


def difference_cells(found: PairedDifference) -> list[str]:
    """The difference and its interval as they stand in a table."""
    interval = "unknown"
    if found.low is not None and found.high is not None:
        interval = f"{found.low:+.1f} .. {found.high:+.1f}"
    return [f"{found.mean:+.1f}", interval]
