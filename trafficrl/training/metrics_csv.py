"""`metrics.csv`: one row an update, equal for equal runs (it holds no clock time)."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import KVWriter

from trafficrl.errors import RunError
from trafficrl.files import replacing

__all__ = ["MetricsCsv", "plain_number"]


def plain_number(value: Any) -> Any:
    """The same value as Python's own: numpy writes a float32 with fewer digits."""
    return value.item() if isinstance(value, np.generic) else value


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
        """The row stands in the file.

        Raises:
            RunError: it cannot be written.
        """
        row = {
            key: plain_number(value)
            for key, value in key_values.items()
            if not key.startswith("time/")
        }
        self._rows.append({"timesteps": step, **row})
        new = row.keys() - self._columns
        if new or not self._columns:
            self._columns = ["timesteps", *sorted({*self._columns[1:], *new})]
            self._write_all()
            return
        try:
            with self._file.open("a", newline="", encoding="utf-8") as stream:
                csv.DictWriter(stream, self._columns).writerow(self._rows[-1])
        except OSError as error:
            raise self._unwritten(error) from error

    def text(self) -> str:
        """All that stands in the file."""
        return self._file.read_text(encoding="utf-8") if self._rows else ""

    def restore(self, text: str) -> None:
        """The file holds that text, and goes on from it."""
        reader = csv.DictReader(io.StringIO(text))
        self._rows = [{name: value for name, value in row.items() if value} for row in reader]
        self._columns = list(reader.fieldnames or ())
        if self._columns:
            self._write_all()
        else:
            self._file.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is open between rows."""

    def _write_all(self) -> None:
        try:
            with (
                replacing(self._file) as temporary,
                temporary.open("w", newline="", encoding="utf-8") as stream,
            ):
                writer = csv.DictWriter(stream, self._columns)
                writer.writeheader()
                writer.writerows(self._rows)
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> RunError:
        return RunError(f"{self._file} cannot be written: {error.strerror}")
