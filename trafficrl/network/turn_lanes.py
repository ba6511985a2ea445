"""Which lane leads where: turn lanes at the stop line, and the lanes that a movement enters.

Lanes are counted from the right, as SUMO does. Directions are SUMO's letters: r right, s straight,
l left, t u-turn. Everything keeps its position: who turns right leaves from the right and arrives
on the right, so no two movements of one approach ever cross.
"""

from collections.abc import Collection, Mapping, Sequence

__all__ = ["plan_head", "receiving_lanes", "same_edge", "spread"]

RIGHT_TO_LEFT = "rsl"
WIDENING_ORDER = "slr"


def plan_head(
    tail_lanes: int, exits: Mapping[str, int], *, fixed: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """The directions of each lane at the stop line, from right to left, such as ("r", "s", "lt").

    One lane a direction, and more where the street is wider: straight first, then left, then
    right, never more than the exit has lanes. A u-turn shares the lane of left turns, which are
    green with it; where there are none it has a lane of its own, since a lane whose movements are
    green at different times is blocked by whoever stands first.

    Args:
        tail_lanes: Lanes of the street before its turn lanes begin.
        exits: Direction -> lanes of the street that it leads to.
        fixed: Directions that have just so many lanes of their own.
    """
    fixed = fixed or {}
    counts = {letter: fixed.get(letter, 1) for letter in RIGHT_TO_LEFT if letter in exits}
    for letter in WIDENING_ORDER:
        missing = tail_lanes - sum(counts.values())
        if letter in counts and letter not in fixed and missing > 0:
            counts[letter] = min(1 + missing, max(exits[letter], 1))
    lanes = [letter for letter, count in counts.items() for _ in range(count)]
    if "t" in exits and "t" not in fixed and "l" in counts:
        lanes[-1] += "t"
    elif "t" in exits:
        lanes += ["t"] * fixed.get("t", 1)
    return tuple(lanes)


def same_edge(stop_lanes: Sequence[str]) -> list[tuple[int, tuple[str, ...]]]:
    """Neighbouring lanes that share a direction: (the rightmost, directions of each) of each group.

    Of ("r", "s", "s", "lt") they are (0, ("r",)), (1, ("s", "s")) and (3, ("lt",)).
    """
    groups: list[tuple[int, tuple[str, ...]]] = []
    for place, letters in enumerate(stop_lanes):
        if groups and set(letters) & set("".join(groups[-1][1])):
            first, lanes = groups.pop()
            groups.append((first, (*lanes, letters)))
        else:
            groups.append((place, (letters,)))
    return groups


def receiving_lanes(
    direction: str, *, from_lanes: int, entering: Collection[str], to_lanes: int
) -> range:
    """The neighbouring lanes of a street that a movement may enter.

    Right turns enter on the right, left turns and u-turns on the left, straight traffic between
    them; where nobody comes straight on, the turns share the street. Together the movements of
    `entering` reach every lane.

    Args:
        direction: How the movement enters.
        from_lanes: Lanes that the movement leaves from.
        entering: All the directions that enter the street.
        to_lanes: Lanes of the street.
    """
    others = [letter for letter in RIGHT_TO_LEFT if letter in entering]
    if direction == "t":
        return range(to_lanes - 1, to_lanes) if others else range(to_lanes)
    if len(others) == 1:
        return range(to_lanes)
    if direction == "s":
        between = range("r" in others, to_lanes - ("l" in others))
        return between if len(between) >= from_lanes else range(to_lanes)
    share = 1 if "s" in others else (to_lanes + (direction == "l")) // 2
    width = min(max(share, from_lanes, 1), to_lanes)
    return range(width) if direction == "r" else range(to_lanes - width, to_lanes)


def spread(from_lanes: int, to_lanes: range) -> list[tuple[int, int]]:
    """Pairs (from lane, to lane) that keep their order, use every lane and are as even as can be.

    A from lane leads to several neighbouring lanes where there are more of them; where there are
    fewer, several from lanes merge.
    """
    width = len(to_lanes)
    if from_lanes <= width:
        return [(i * from_lanes // width, lane) for i, lane in enumerate(to_lanes)]
    return [(lane, to_lanes[lane * width // from_lanes]) for lane in range(from_lanes)]
