"""What a key of the earlier program is, and what becomes of it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trafficrl.config.legacy.values import Reader, shown

__all__ = ["UNSAID", "LegacyKey", "Moved", "Moves", "Run"]

UNSAID = object()
"""Stands for no value at all, which None would not: a file may say null."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the meaning of some keys depends on."""

    envs: int
    """Environments side by side."""
    reward: str
    """Which reward function."""
    folder: Path
    """Where relative paths of the key at hand begin."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a value became."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Full key here -> value; a scenario's keys begin with `scenarios.*.`."""
    why: str = ""
    """More than the key itself tells of it."""


Moves = Callable[[Any, Run], Moved]


@dataclass(frozen=True, kw_only=True)
class LegacyKey:
    """One key: how it is read, where it goes, and why anything about it is other than it was."""

    name: str
    reads: Reader
    to: str = ""
    """The key here, or in words what comes of it; empty where it is dropped."""
    why: str = ""
    """Why it is dropped, or what it means now that it did not then."""
    concerns: tuple[str, ...] = ()
    """The values that `why` is about; all where none is named."""
    default: Any = UNSAID
    """What the earlier program had where a file does not say; `UNSAID` where that is not known, or
    drawn anew each time."""
    also: tuple[str, ...] = ()
    """Other spellings."""
    moves: Moves | None = None
    """Where more happens than that the value goes to the key `to`."""

    def remark(self, value: Any) -> str:
        """What is to be told of the key where it has that value."""
        concerned = not self.concerns or not set(self.concerns).isdisjoint(shown(value).split())
        return self.why if concerned else ""

    def moved(self, value: Any, run: Run) -> Moved:
        """What the value, as `reads` answered it, becomes.

        Raises:
            ValueError: there is nothing here that it could become; the message says what is.
        """
        if self.moves is not None:
            return self.moves(value, run)
        return Moved({self.to: value} if self.to else {})
