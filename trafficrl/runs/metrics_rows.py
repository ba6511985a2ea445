"""The rows of `metrics.csv`, read while they are written."""

import csv
from pathlib import Path

__all__ = ["MetricsRows", "Row"]

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


def _row(names: list[str], cells: list[str]) -> Row:
    values = {name: float(cell) for name, cell in zip(names, cells, strict=True) if cell}
    return int(values.pop(STEP)), values
