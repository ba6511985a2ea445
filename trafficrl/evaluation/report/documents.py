"""Files of a run folder as plain values: JSON, YAML and CSV, which run nothing when read."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from trafficrl.errors import RunError

__all__ = ["Document", "read_json", "read_table", "read_yaml"]


class Document:
    """Plain values and the place that they came from, which every complaint names."""

    def __init__(self, value: Any, place: str) -> None:
        self.value = value
        self.place = place

    def __getitem__(self, key: str) -> "Document":
        """The value of a mapping.

        Raises:
            RunError: no mapping, or no such key.
        """
        values = self.mapping()
        if key not in values:
            raise RunError(f"{self.place} has no {key}")
        return values[key]

    def get(self, key: str, default: Any) -> "Document":
        """The value of a mapping, or the default where the key is missing."""
        values = self.mapping()
        return values.get(key, Document(default, f"{self.place}: {key}"))

    def mapping(self) -> dict[str, "Document"]:
        """All values by key."""
        if not isinstance(self.value, dict):
            self._refuse("a mapping")
        return {
            str(key): Document(value, f"{self.place}: {key}") for key, value in self.value.items()
        }

    def items(self) -> list["Document"]:
        """All values of a list."""
        if not isinstance(self.value, list):
            self._refuse("a list")
        return [Document(value, f"{self.place}[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            self._refuse("text")
        return str(self.value)

    def number(self) -> float:
        """A finite number."""
        value = self.value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            self._refuse("a finite number")
        return float(value)

    def numbers(self) -> tuple[float, ...]:
        """A list of finite numbers; faster than `items`, for long ones."""
        found = self.value
        if not isinstance(found, list) or not all(
            type(one) in (int, float) and math.isfinite(one) for one in found
        ):
            self._refuse("a list of finite numbers")
        return tuple(map(float, found))

    def whole(self) -> int:
        """A whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self._refuse("a whole number")
        return int(self.value)

    def _refuse(self, wanted: str) -> NoReturn:
        raise RunError(f"{self.place} is damaged: not {wanted}: {str(self.value)[:60]!r}")


def read_json(file: Path) -> Document:
    """The values of a JSON file.

    Raises:
        RunError: the file is missing or damaged.
    """
    return _read(file, json.loads)


def read_yaml(file: Path) -> Document:
    """The values of a YAML file; tags that would make objects are refused.

    Raises:
        RunError: the file is missing or damaged.
    """
    return _read(file, yaml.safe_load)


def read_table(file: Path) -> dict[str, list[float]]:
    """Column -> its numbers, one a row; NaN where a field is empty.

    Raises:
        RunError: the file is missing or damaged.
    """

    def parse(text: str) -> dict[str, list[float]]:
        header, *rows = csv.reader(text.splitlines())
        numbers = [[float(field or "nan") for field in row] for row in rows]
        return {name: [row[column] for row in numbers] for column, name in enumerate(header)}

    table: dict[str, list[float]] = _read(file, parse).value
    return table


def _read(file: Path, parse: Callable[[str], Any]) -> Document:
    try:
        return Document(parse(file.read_text(encoding="utf-8")), str(file))
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, IndexError, RecursionError, yaml.YAMLError) as error:
        raise RunError(f"{file} is damaged: {' '.join(str(error).split())}") from error
