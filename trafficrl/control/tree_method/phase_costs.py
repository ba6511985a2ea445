"""From the costs of trees to the costs of phases: what is to be won by green."""

from collections.abc import Mapping, Sequence

from trafficrl.control.tree_method.links import Head, Link
from trafficrl.simulation.state import FloatArray

__all__ = ["phase_costs"]


def phase_costs(
    links: Sequence[Link],
    costs_of_trees: Mapping[int, float],
    vehicles_veh: FloatArray,
    *,
    num_phases: Sequence[int],
    divide_by_phases: bool,
) -> list[list[float]]:
    """The cost of each phase of each signal [veh*min].

    The cost of a tree is that of its trunk's heads, in proportion to the vehicles on them; that
    of a head is its phases', in equal parts. Heads that pass no signal keep theirs, and so does a
    trunk that ends the network, which has no head.

    Args:
        links: All streets; a tree's trunk is its index among them.
        costs_of_trees: By trunk.
        vehicles_veh: (L,) mean number of vehicles on each lane over the interval.
        num_phases: Of each signal.
        divide_by_phases: Otherwise each phase has the whole cost of its heads.
    """
    costs = [[0.0] * count for count in num_phases]
    for trunk, cost in costs_of_trees.items():
        heads = links[trunk].heads
        for head, share in zip(heads, _shares(heads, vehicles_veh), strict=True):
            for signal, phase in head.phases:
                parts = len(head.phases) if divide_by_phases else 1
                costs[signal][phase] += cost * share / parts
    return costs


def _shares(heads: Sequence[Head], vehicles_veh: FloatArray) -> list[float]:
    """Of each head's vehicles among all on the heads; equal where there are none."""
    counts = [float(vehicles_veh[head.lanes].sum()) for head in heads]
    total = sum(counts)
    return [count / total if total else 1 / len(counts) for count in counts]
