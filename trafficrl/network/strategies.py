"""Which movements of a junction share a green phase, for each strategy.

All movements of one lane always share one: the turn lanes keep apart what a strategy keeps apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trafficrl.config.network import Strategy

__all__ = ["Movement", "group_movements"]

AXES = ("NS", "EW")
TURNS = ("straight", "right", "left", "u-turn")
Group = tuple[str, tuple[int, ...]]
"""Name of a phase, and which movements it releases."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One way over a junction."""

    approach: str
    """Edge or street that it leaves."""
    axis: str
    """NS or EW: how its approach heads."""
    turn: str
    """straight, right, left or u-turn."""


def group_movements(movements: Sequence[Movement], strategy: Strategy) -> list[Group]:
    """The phases of a strategy in their planned order, each movement in one, none empty."""
    return [group for group in _STRATEGIES[strategy](movements) if group[1]]


def _partial_opposites(movements: Sequence[Movement]) -> list[Group]:
    """Opposite approaches share green: first straight and right, then left and u-turn."""
    return [
        _axis_group(movements, axis, turns)
        for axis in AXES
        for turns in (("straight", "right"), ("left", "u-turn"))
    ]


def _opposites(movements: Sequence[Movement]) -> list[Group]:
    """Opposite approaches share green for all they do; who turns left or back must yield."""
    return [_axis_group(movements, axis, TURNS) for axis in AXES]


def _incoming(movements: Sequence[Movement]) -> list[Group]:
    """Each approach has green alone, in the order of its first movement."""
    approaches = dict.fromkeys(movement.approach for movement in movements)
    return [
        (name, tuple(i for i, movement in enumerate(movements) if movement.approach == name))
        for name in approaches
    ]


def _axis_group(movements: Sequence[Movement], axis: str, turns: Sequence[str]) -> Group:
    members = [i for i, m in enumerate(movements) if m.axis == axis and m.turn in turns]
    present = [turn for turn in turns if any(movements[i].turn == turn for i in members)]
    return f"{axis} {'+'.join(present)}", tuple(members)


_STRATEGIES: dict[Strategy, Callable[[Sequence[Movement]], list[Group]]] = {
    Strategy.partial_opposites: _partial_opposites,
    Strategy.opposites: _opposites,
    Strategy.incoming: _incoming,
}
