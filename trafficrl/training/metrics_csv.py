"""`metrics.csv`: one row an update, equal for equal runs (it holds no clock time)."""

import csv
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import KVWriter

from trafficrl.files import replacing

__all__ = ["MetricsCsv"]


class MetricsCsv(KVWriter):
    """Writes each row of Stable-Baselines3's logger; a new column goes to all rows before, empty.

    Columns are in alphabetical order after `timesteps`; what has no value in a row is empty.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: list[dict[str, Any]] = []
        self._columns: list[str] = []

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        """The row stands in the file."""
        row = {key: value for key, value in key_values.items() if not key.startswith("time/")}
        self._rows.append({"timesteps": step, **row})
        new = row.keys() - self._columns
        if new or not self._columns:
            self._columns = ["timesteps", *sorted({*self._columns[1:], *new})]
            self._write_all()
            return
        with self._file.open("a", newline="", encoding="utf-8") as stream:
            csv.DictWriter(stream, self._columns).writerow(self._rows[-1])

    def close(self) -> None:
        """Nothing is open between rows."""

    def _write_all(self) -> None:
        with (
            replacing(self._file) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, self._columns)
            writer.writeheader()
            writer.writerows(self._rows)
