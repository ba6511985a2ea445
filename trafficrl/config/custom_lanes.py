"""Lanes of single streets by hand: `A1B1=tail:3,head:B1C1:2;B1C1=head:`, inline or from a file.

`tail:N` sets the lanes of a street. `head:TO:N` sets the lanes at its stop line for the movement
that leads into the street TO; the word `head:` may be left out after the first one. `head:` alone
makes the street a dead end: its only way on is back. What an entry leaves out stays as it was.
Entries end with `;` or with the line; `#` begins a comment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trafficrl.config.checks import check_range
from trafficrl.errors import ConfigError

__all__ = ["MOST_LANES", "CustomLanes", "load_custom_lanes", "parse_custom_lanes"]

MOST_LANES = 5
FORM = "write STREET=tail:N,head:TO_STREET:N"


@dataclass(frozen=True, slots=True)
class CustomLanes:
    """What one entry says about one street."""

    where: str
    """Key, line and entry, to begin an error with."""
    street: str
    tail: int | None = None
    """Lanes of the street."""
    heads: Mapping[str, int] = field(default_factory=dict)
    """Next street -> lanes at the stop line that lead there."""
    dead_end: bool = False


def load_custom_lanes(file: str, *, key: str) -> str:
    """The entries of a file, line by line, without comments: what the inline key takes.

    Raises:
        ConfigError: the file cannot be read, or an entry is wrong; told with its line.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{key} {file!r} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{key} {file!r} is no text: {error}") from error
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    parse_custom_lanes("\n".join(lines), key=f"{key} {file!r}")
    return "\n".join(lines)


def parse_custom_lanes(text: str, *, key: str) -> tuple[CustomLanes, ...]:
    """The entries of a text in their order; a street has one at most.

    Raises:
        ConfigError: naming line and entry, and what is wrong with it.
    """
    entries: dict[str, CustomLanes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        for words in line.partition("#")[0].split(";"):
            if words.strip():
                where = f"{key} line {number} {words.strip()!r}"
                entry = _entry(words.strip(), where)
                if entry.street in entries:
                    raise ConfigError(f"{where}: street {entry.street!r} is given twice")
                entries[entry.street] = entry
    return tuple(entries.values())


def _entry(words: str, where: str) -> CustomLanes:
    street, equals, items = (part.strip() for part in words.partition("="))
    if not (street and equals and items):
        raise ConfigError(f"{where}: {FORM}")
    tail: int | None = None
    heads: dict[str, int] = {}
    dead_end = False
    for kind, target, number in _items(items, where):
        if kind == "head" and not target and not number:
            dead_end = True
        elif kind == "tail" and tail is None:
            tail = _lanes(number, where)
        elif kind == "head" and target not in heads:
            heads[target] = _lanes(number, where)
        else:
            raise ConfigError(f"{where}: {target or kind!r} is given twice")
    if dead_end and heads:
        raise ConfigError(f"{where}: a dead end (head:) leads to no street, got {', '.join(heads)}")
    return CustomLanes(where, street, tail, heads, dead_end)


def _items(items: str, where: str) -> Iterator[tuple[str, str, str]]:
    """(tail or head, next street, number) of each item; a bare `TO:N` goes on with the heads."""
    kind = ""
    for item in items.split(","):
        parts = [part.strip() for part in item.split(":")]
        if parts[0] in ("tail", "head"):
            kind = parts.pop(0)
        elif kind != "head":
            parts = []
        if kind == "tail" and len(parts) == 1:
            yield kind, "", parts[0]
        elif kind == "head" and ((len(parts) == 2 and parts[0]) or parts == [""]):
            yield kind, parts[0], parts[-1]
        else:
            raise ConfigError(f"{where}: cannot read {item.strip()!r}; {FORM}")


def _lanes(number: str, where: str) -> int:
    if not (number.isascii() and number.isdigit()):
        raise ConfigError(f"{where}: lanes must be a number 1 to {MOST_LANES}, got {number!r}")
    check_range(f"{where}: lanes", int(number), 1, MOST_LANES)
    return int(number)
