"""What the doctor found in one place."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Finding", "State"]


class State(Enum):
    """How bad it is."""

    ok = "ok"
    absent = "-"
    """Not there, and not needed to train."""
    warning = "warn"
    """A training can run; something may be slow, or fail later."""
    failure = "FAIL"
    """No training can run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A line for people, and the same for programs."""

    name: str
    state: State
    found: str
    advice: str = ""
    """What to do about it."""
    facts: dict[str, Any] = field(default_factory=dict)
