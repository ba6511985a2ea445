"""Values out of a JSON file that may be damaged, or written by another version."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

__all__ = ["Facts", "one_line"]

LARGEST = 1e18
"""No value of a run is larger; a damaged file may say anything."""
T = TypeVar("T")


class Facts:
    """The values of a JSON object by name and type: None where there is none, or a wrong one."""

    def __init__(self, rows: dict[str, Any]) -> None:
        self._rows = rows
        self.wrong: list[str] = []
        """The names of the values that were asked for and are no such thing."""

    def text(self, name: str) -> str | None:
        """A text of one line."""
        return self._take(name, lambda value: one_line(value) if isinstance(value, str) else None)

    def count(self, name: str) -> int | None:
        """A whole number from 0 on."""
        return self._take(name, _count)

    def number(self, name: str) -> float | None:
        """A finite number."""
        return self._take(name, _number)

    def time(self, name: str) -> datetime | None:
        """A moment, with its time zone."""
        return self._take(name, _time)

    def _take(self, name: str, read: Callable[[Any], T | None]) -> T | None:
        value = self._rows.get(name)
        found = None if value is None else read(value)
        if found is None and value is not None:
            self.wrong.append(name)
        return found


def one_line(text: str) -> str:
    """The text without line breaks and without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < LARGEST else None


def _number(value: Any) -> float | None:
    """JSON has no infinity, but Python writes and reads one."""
    return float(value) if type(value) in {int, float} and abs(value) < LARGEST else None


def _time(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found and found.utcoffset() is not None else None
