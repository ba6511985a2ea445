"""How the value of a legacy key is read, whether from YAML or as a word of a command line.

A reader answers the plain value, or raises ValueError with what the value must be. Ranges are not
looked at: the configuration that comes of it is checked as any other.
"""

from collections.abc import Callable, Mapping
from datetime import date
from math import isfinite
from reprlib import Repr
from typing import Any

__all__ = [
    "Reader",
    "comment",
    "lane_count",
    "number",
    "one_of",
    "removed",
    "shares",
    "shown",
    "switch",
    "text",
    "whole",
    "wholes",
    "words",
]

Reader = Callable[[Any], Any]
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
SHOWN = Repr()
SHOWN.maxstring = SHOWN.maxother = 80
SHOWN.maxlist = SHOWN.maxdict = 12
SHOWN.maxlevel = 3
LONGEST = 200


def shown(value: Any) -> str:
    """A value in one short line; one that holds itself many times over does not blow up."""
    if isinstance(value, str) and len(value) <= SHOWN.maxstring and value.isprintable():
        return value or "''"
    if isinstance(value, float) and isfinite(value):
        return f"{value:.12g}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return f"[{', '.join(shown(item) for item in value)}]"
    text = SHOWN.repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def whole(value: Any) -> int:
    """`6`, `6.0` or `5e5`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value  # a float would lose digits of a large one
    if isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return int(value)
    found = number(value, "a whole number")
    if found != int(found):
        raise ValueError("a whole number")
    return int(found)


def number(value: Any, what: str = "a number") -> float:
    """Any finite number; YAML takes `1e-4`, which has no dot, for text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(what)
    try:
        found = float(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(what) from error
    if not isfinite(found):
        raise ValueError(what)
    return found


def switch(value: Any) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in SWITCHES:
        return SWITCHES[value.lower()]
    raise ValueError("true or false")


def text(value: Any) -> str:
    """One line that no later reading takes for an interpolation or an escape."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("text")
    found = " ".join(str(value).split())
    if not found.isprintable() or "${" in found or "\\" in found:
        raise ValueError("text without ${, backslashes and broken characters")
    return found


def comment(value: Any) -> str:
    """One line that only a person reads; YAML takes a day of the calendar for a date."""
    if not isinstance(value, str | int | float | date):
        raise ValueError("text")
    return " ".join(str(value).split())


def one_of(*choices: str) -> Reader:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}")
        return str(value)

    return read


def words(value: Any) -> list[str]:
    """A list of names, or one string of them."""
    found = value.strip("[] ").replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise ValueError("a list of names")
    return list(found)


def wholes(value: Any) -> list[int]:
    """A list of whole numbers, `256,256`, or a single one."""
    if isinstance(value, str):
        value = value.strip("[] ").replace(",", " ").split()
    found = value if isinstance(value, list) else [value]
    try:
        return [whole(item) for item in found]
    except ValueError as error:
        raise ValueError("a list of whole numbers") from error


def shares(value: Any) -> str:
    """`realtime 70 shortest 30`, or a mapping of names to percentages."""
    if not isinstance(value, Mapping):
        return text(value)
    for name, share in value.items():
        number(share, f"a mapping of names to percentages: {shown(name)} has {shown(share)}")
    return text(" ".join(f"{name} {share}" for name, share in value.items()))


def lane_count(value: Any) -> int | str:
    """`realistic`, `random` or a number."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return text(value)
    return whole(value)


def removed(value: Any) -> int | str:
    """How many junctions, or their ids as `A0,B1` or a list."""
    if isinstance(value, list):
        return ",".join(words(value))
    if isinstance(value, str) and not value.strip().isdecimal():
        return text(value).replace(" ", "")
    return whole(value)
