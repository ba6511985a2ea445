"""Trees of loaded streets: from a trunk, where congestion begins, upstream through what it loads.

Streets are named by their index.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = ["Place", "build_trees", "tree_costs"]


class Place(Protocol):
    """Where a street lies."""

    @property
    def upstream(self) -> tuple[int, ...]:
        """Streets that lead into it."""

    @property
    def downstream(self) -> tuple[int, ...]:
        """Streets that it leads to."""

    @property
    def leads_to_signal(self) -> bool:
        """Whether a signal stands at its end."""


def build_trees(streets: Sequence[Place], loaded: Sequence[bool]) -> dict[int, list[int]]:
    """The streets of each tree, the trunk first, by the trunk.

    Every loaded street that ends at a signal is a trunk, whether or not it belongs to the trees of
    others too; one without a signal is a trunk only where no street ahead of it is loaded.
    """
    return {
        index: _grow(index, streets, loaded)
        for index, street in enumerate(streets)
        if loaded[index]
        and (street.leads_to_signal or not any(loaded[ahead] for ahead in street.downstream))
    }


def tree_costs(
    trees: Mapping[int, Sequence[int]], costs: Sequence[float], *, weight_round: int | None
) -> dict[int, float]:
    """The cost of each tree by its trunk, from the cost of each street.

    A street in n trees counts 1/n in each; weights and weighted costs are rounded to so many
    decimals, or not at all.
    """
    times = [0] * len(costs)
    for members in trees.values():
        for index in members:
            times[index] += 1
    shares = [_share(cost, n, weight_round) for cost, n in zip(costs, times, strict=True)]
    return {trunk: sum(shares[index] for index in members) for trunk, members in trees.items()}


def _grow(trunk: int, streets: Sequence[Place], loaded: Sequence[bool]) -> list[int]:
    members = {trunk: None}  # a set that keeps its order
    todo = [trunk]
    while todo:
        for index in streets[todo.pop()].upstream:
            if loaded[index] and index not in members:
                members[index] = None
                todo.append(index)
    return list(members)


def _share(cost: float, num_trees: int, decimals: int | None) -> float:
    if not num_trees:
        return 0.0
    if decimals is None:
        return cost / num_trees
    return round(round(1 / num_trees, decimals) * cost, decimals)
