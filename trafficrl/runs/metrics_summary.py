"""What the metrics of a training come to: `metrics_summary.json`, and a table for people."""

import json
import math
from collections.abc import Iterable

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from trafficrl.files import save_text
from trafficrl.runs.metrics_rows import MetricsRows, Row
from trafficrl.runs.paths import RunPaths

__all__ = ["Summary", "print_metrics_summary", "save_metrics_summary", "summarise"]

Statistics = dict[str, float | int | None]
Summary = dict[str, Statistics]
"""Metric -> statistic -> value."""
SHOWN = ("rollout/ep_rew", "reward/", "traffic/", "validation/")
"""What the traffic did; the learner's own numbers are for those who look for them."""
LEAST_WIDTH = 100


def summarise(rows: Iterable[Row]) -> Summary:
    """Metric -> mean, std, min, max, last and count of its finite values, all updates alike.

    `std` is that of these values themselves (divided by their count); `count` says how many they
    are, and without any all else is None.
    """
    values: dict[str, list[float]] = {}
    for _, row in rows:
        for name, value in row.items():
            values.setdefault(name, []).extend([value] if math.isfinite(value) else [])
    return {name: _statistics(values[name]) for name in sorted(values)}


def save_metrics_summary(paths: RunPaths) -> Summary:
    """`metrics_summary.json` holds what `metrics.csv` comes to; nothing without any rows."""
    summary = summarise(MetricsRows(paths.metrics).new())
    if summary:
        save_text(paths.metrics_summary, json.dumps(summary, indent=2, allow_nan=False) + "\n")
    return summary


def print_metrics_summary(summary: Summary) -> None:
    """A table of what the traffic did during the training; nothing without an update."""
    table = Table(
        title="Over all updates (every metric: metrics_summary.json)",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("metric", no_wrap=True)
    for name in ("mean", "std", "min", "max", "last", "count"):
        table.add_column(name, justify="right", no_wrap=True)
    for metric, row in summary.items():
        if metric.startswith(SHOWN):
            cells = ("-" if value is None else f"{value:.4g}" for value in row.values())
            table.add_row(metric, *cells)
    if table.row_count:
        width = max(LEAST_WIDTH, Console().width)
        Console(markup=False, emoji=False, highlight=False, width=width).print(table)


def _statistics(values: list[float]) -> Statistics:
    if not values:
        empty = dict.fromkeys(("mean", "std", "min", "max", "last"))
        return {**empty, "count": 0}
    return {
        "mean": float(np.mean(values)),
        "std": float(np.std(values)),
        "min": min(values),
        "max": max(values),
        "last": values[-1],
        "count": len(values),
    }
