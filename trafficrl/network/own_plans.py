"""The greens of a signal plan that somebody else made.

A plan is a list of states. What a controller may choose among are its greens; yellow and all-red
between them are the driver's business, which has its own times for them.
"""

from collections.abc import Sequence

from trafficrl.network.netxml import ProgramPhase
from trafficrl.network.signals import GREEN, Phase

__all__ = ["greens_of_plan"]

TRANSITIONAL = "yYu"
"""Yellow, and red-yellow before green."""
LONGEST_ALL_RED_S = 5.0
"""Longer than any clearance in use: what lasts longer is a green of its own."""


def greens_of_plan(plan: Sequence[ProgramPhase]) -> tuple[Phase, ...]:
    """The different greens of a plan in their order, each with the seconds that it has in a cycle.

    A green is a state with a green link and without yellow. What follows a yellow for a few
    seconds and releases nothing but what the greens before and after it release as well is the
    all-red of the links that change. A green that comes twice in a cycle is one phase.
    """
    greens: dict[str, Phase] = {}
    for index, part in enumerate(plan):
        if not _is_green(part.state) or _clears(plan, index):
            continue
        known = greens.get(part.state)
        before_s = known.duration_s if known else 0.0
        name = known.name if known else str(len(greens) + 1)
        greens[part.state] = Phase(name, part.state, before_s + part.duration_s)
    return tuple(greens.values())


def _is_green(state: str) -> bool:
    return any(letter in GREEN for letter in state) and not any(
        letter in TRANSITIONAL for letter in state
    )


def _clears(plan: Sequence[ProgramPhase], index: int) -> bool:
    """The state belongs to the clearance between the greens before and after it."""
    part, before = plan[index], plan[index - 1]
    if _is_green(before.state) or part.duration_s > LONGEST_ALL_RED_S:
        return False
    others = [*reversed(plan[:index]), *reversed(plan[index + 1 :])]
    last = next((other for other in others if _is_green(other.state)), part)
    others = [*plan[index + 1 :], *plan[:index]]
    following = next((other for other in others if _is_green(other.state)), part)
    return part not in (last, following) and all(
        letter not in GREEN or (a in GREEN and b in GREEN)
        for letter, a, b in zip(part.state, last.state, following.state, strict=True)
    )
