"""The rows of `metrics.csv` while they are written, and what they come to at the end of a run."""

import csv
import json
import math
from pathlib import Path

import numpy as np

from trafficrl.files import save_text
from trafficrl.runs.paths import RunPaths

__all__ = ["MetricsRows", "Row", "save_metrics_summary", "summarise"]

STEP = "timesteps"
Row = tuple[int, dict[str, float]]
"""Environment step and the values of one update; what has none is not in it."""


class MetricsRows:
    """Reads the file as often as it is asked to, each row once.

    Args:
        file: `metrics.csv`, which may not be there yet. A new column makes another file of it,
            with all rows again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._header = ""
        self._place = 0

    def new(self) -> list[Row]:
        """What has come since the last time; all rows again where the file is another one."""
        try:
            with self._file.open(newline="", encoding="utf-8") as stream:
                header = stream.readline()
                same = header == self._header and self._place <= self._file.stat().st_size
                self._header = header
                if same:
                    stream.seek(self._place)
                text = stream.read()
                whole = text[: text.rfind("\n") + 1]  # the last line may be amid its writing
                begin = self._place if same else len(header.encode())
                self._place = begin + len(whole.encode())
        except FileNotFoundError:
            return []
        names = next(csv.reader([header]), [])
        return [_row(names, line) for line in csv.reader(whole.splitlines())]


def summarise(rows: list[Row]) -> dict[str, dict[str, float | int | None]]:
    """Metric -> mean, std, min, max, last and count of its finite values, all updates alike.

    `std` is that of these values themselves (divided by their count); `count` says how many they
    are, and without any all else is None.
    """
    values: dict[str, list[float]] = {}
    for _, row in rows:
        for name, value in row.items():
            values.setdefault(name, []).extend([value] if math.isfinite(value) else [])
    return {name: _statistics(values[name]) for name in sorted(values)}


def save_metrics_summary(paths: RunPaths) -> dict[str, dict[str, float | int | None]]:
    """`metrics_summary.json` holds what `metrics.csv` comes to; nothing without any rows."""
    summary = summarise(MetricsRows(paths.metrics).new())
    if summary:
        save_text(paths.metrics_summary, json.dumps(summary, indent=2, allow_nan=False) + "\n")
    return summary


def _row(names: list[str], cells: list[str]) -> Row:
    values = {name: float(cell) for name, cell in zip(names, cells, strict=True) if cell}
    return int(values.pop(STEP)), values


def _statistics(values: list[float]) -> dict[str, float | int | None]:
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
