"""Side by side: runs that take turns, their median, and the row that tells of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from bench.cost import Cost

__all__ = ["Plan", "Row", "Target", "costs", "ratio", "take_turns"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    folder: Path
    """Keeps networks, trips and runs meanwhile."""
    repeats: int = 5
    quick: bool = False
    """The smallest case, shortened: shows that a measure works, and no more."""
    full: bool = False
    """Whole episodes, where otherwise the first part stands for them."""

    def at_most(self, turns: int) -> "Plan":
        """The same with no more turns: of what takes long, or differs little."""
        return replace(self, repeats=min(self.repeats, turns))

    def horizon_s(self, whole_s: float, part_s: float, least_s: float = 300) -> float:
        """How long an episode is [s]: whole, its first part, or the least that shows anything."""
        if self.quick:
            return min(least_s, whole_s)
        return whole_s if self.full else min(part_s, whole_s)


@dataclass(frozen=True, slots=True)
class Target:
    """What a value has to be."""

    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"

    def met(self, value: float) -> bool:
        """Whether it is."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    measure: str
    """Letter of the measure."""
    case: str
    what: str
    value: float
    """That the target is about; of two ratios the one of processor time, but for parallel runs."""
    unit: str = "x"
    wall: float | None = None
    """The same ratio in wall time, where it is one of processor time."""
    target: Target | None = None
    note: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    """All single values, for the file."""


def take_turns(subjects: Mapping[str, Callable[[], T]], repeats: int) -> dict[str, list[T]]:
    """All subjects in turn (A B C A B C ...), so that a busy minute strikes them all alike."""
    found: dict[str, list[T]] = {name: [] for name in subjects}
    for _ in range(repeats):
        for name, run in subjects.items():
            found[name].append(run())
    return found


def ratio(found: Mapping[str, list[Cost]], subject: str, base: str) -> tuple[float, float]:
    """Median over the turns of what one cost by what the other did: processor time, wall time."""
    pairs = list(zip(found[subject], found[base], strict=True))
    return (
        median(one.cpu_s / max(other.cpu_s, 1e-9) for one, other in pairs),
        median(one.wall_s / max(other.wall_s, 1e-9) for one, other in pairs),
    )


def costs(found: Mapping[str, list[Cost]]) -> dict[str, Any]:
    """Every single cost, plain."""
    return {
        name: {
            "wall_s": [round(cost.wall_s, 4) for cost in runs],
            "cpu_s": [round(cost.cpu_s, 4) for cost in runs],
        }
        for name, runs in found.items()
    }
