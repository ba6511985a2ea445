"""Which edges make up one street of the tree method: its tail, where speed is measured, and its
heads, the turn lanes at the stop line.

The networks of the original study and of the predecessor, and ours, have an edge for each movement
at the stop line; the streets of other networks are single edges. Names of edges mean nothing here.
A generated street says itself what its heads are. For all other edges the shape decides:

- A head is an edge that begins where only one other edge ends, without a signal: the street merely
  widens there. It does not lead back, and is no longer than the edge before it, its tail.
- A first piece is an edge from a signal that as a whole joins one other, longer edge without
  another signal: a slip road meets the street there. As in the original, that longer edge stands
  for the street, and the speed of its first piece is not regarded.
- Every other edge is a tail, and without heads it ends at the stop line itself.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from trafficrl.network.model import Edge, Network

__all__ = ["find_tails"]


@dataclass(frozen=True, slots=True)
class Ways:
    """How the edges of a network hang together."""

    into: Mapping[str, set[str]]
    """Edge id -> edges that lead into it."""
    onto: Mapping[str, set[str]]
    """Edge id -> edges that it leads to."""
    ending: Mapping[str, set[str]]
    """Node -> edges that end there."""
    from_signal: set[str]
    """Edges that some movement enters through a signal."""


def find_tails(network: Network) -> dict[str, str]:
    """Edge id -> the tail of the street that it belongs to, for every edge of the network."""
    ways = _ways(network)
    planned = {
        head: street.tail
        for street in network.streets
        for head in street.heads
        if head != street.tail
    }
    known = {*planned, *planned.values()}
    free = [edge for edge in network.edges if edge.id not in known]
    widened = {edge.id: tail for edge in free if (tail := _widened(edge, network, ways))}
    # The head of a head would have a tail far from its stop line: it is a street of its own.
    heads = {head: tail for head, tail in widened.items() if tail not in {*widened, *known}}
    tails = {edge.id: edge.id for edge in network.edges} | planned | heads
    for edge in free:
        joined = _joined(edge, network, ways)
        if edge.id not in heads and joined is not None and tails[joined] == joined:
            tails[edge.id] = joined
    return tails


def _widened(edge: Edge, network: Network, ways: Ways) -> str | None:
    """The edge that an edge looks like a head of."""
    before = ways.ending[edge.from_node]
    if len(before) != 1 or edge.id in ways.from_signal or before != ways.into[edge.id]:
        return None
    (tail,) = before
    last = network.edge_by_id[tail]
    leads_back = edge.to_node == last.from_node
    return tail if not leads_back and edge.length_m <= last.length_m else None


def _joined(edge: Edge, network: Network, ways: Ways) -> str | None:
    """The street that an edge is the first piece of."""
    if edge.id not in ways.from_signal or len(ways.onto[edge.id]) != 1:
        return None
    (joined,) = ways.onto[edge.id]
    longer = network.edge_by_id[joined].length_m > edge.length_m
    return joined if longer and joined not in ways.from_signal else None


def _ways(network: Network) -> Ways:
    into: dict[str, set[str]] = defaultdict(set)
    onto: dict[str, set[str]] = defaultdict(set)
    ending: dict[str, set[str]] = defaultdict(set)
    from_signal = set()
    edge_of = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
    for edge in network.edges:
        ending[edge.to_node].add(edge.id)
    for connection in network.connections:
        before, after = edge_of[connection.from_lane], edge_of[connection.to_lane]
        into[after].add(before)
        onto[before].add(after)
        if connection.signal_id is not None:
            from_signal.add(after)
    return Ways(into, onto, ending, from_signal)
