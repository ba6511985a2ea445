"""Small networks by hand, for what no generated city has; never given to SUMO."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trafficrl.network.model import Connection, Edge, Lane, Network
from trafficrl.network.signals import Phase, Signal

Way = tuple[str, str] | tuple[str, str, str, int]
"""From lane and to lane; then the signal and its link."""


def edge(name: str, from_node: str, to_node: str, length_m: float, num_lanes: int = 1) -> Edge:
    lanes = tuple(
        Lane(f"{name}_{index}", length_m, 13.89, ((0.0, 0.0), (length_m, 0.0)))
        for index in range(num_lanes)
    )
    return Edge(name, from_node, to_node, lanes)


def network(
    edges: Sequence[Edge], ways: Sequence[Way], signals: Mapping[str, Sequence[str]]
) -> Network:
    """A network of those edges and connections; a signal is its states by phase."""
    connections = tuple(
        Connection(way[0], way[1], "s", way[2], way[3])
        if len(way) == 4
        else Connection(way[0], way[1], "s", None, -1)
        for way in ways
    )
    return Network(
        net_file=Path("by-hand.net.xml"),
        hash="",
        junctions=(),
        edges=tuple(edges),
        connections=connections,
        signals=tuple(signal(name, states) for name, states in signals.items()),
        streets=(),
        land_use=(),
    )


def signal(
    name: str, states: Sequence[str], durations_s: Sequence[float] = (), **timing: float
) -> Signal:
    values: dict[str, Any] = {"yellow_s": 0.0, "all_red_s": 0.0, "min_green_s": 5.0, **timing}
    planned = durations_s or [90 / len(states)] * len(states)
    phases = tuple(
        Phase(str(index), state, duration_s)
        for index, (state, duration_s) in enumerate(zip(states, planned, strict=True))
    )
    return Signal(name, phases, incoming_lanes=(), outgoing_lanes=(), **values)


# A street `in` that widens into an edge for each movement before the signal S, with a slip road for
# right turns that passes it; behind the signal, first pieces that the slip road and `side` join.
ORIGINAL_STYLE = network(
    [
        edge("in", "A", "B", 200.0, 3),
        edge("in_left", "B", "S", 40.0),
        edge("in_straight", "B", "S", 40.0, 2),
        edge("in_slip", "B", "C", 50.0),
        edge("right_first", "S", "C", 30.0),
        edge("right", "C", "D", 300.0, 2),
        edge("ahead", "S", "E", 250.0, 2),
        edge("left", "S", "F", 250.0),
        edge("side", "G", "S", 100.0),
    ],
    [
        ("in_0", "in_slip_0"),
        ("in_1", "in_straight_0"),
        ("in_1", "in_straight_1"),
        ("in_2", "in_left_0"),
        ("in_straight_0", "ahead_0", "S", 0),
        ("in_straight_1", "ahead_1", "S", 1),
        ("in_left_0", "left_0", "S", 2),
        ("side_0", "ahead_0", "S", 3),
        ("side_0", "right_first_0", "S", 4),
        ("in_slip_0", "right_0"),
        ("right_first_0", "right_1"),
    ],
    {"S": ("GGgrr", "rrGrr", "rrrGG")},
)
# The same crossing with single edges: turn lanes side by side, and no slip road.
SINGLE_EDGES = network(
    [
        edge("in", "A", "S", 200.0, 3),
        edge("ahead", "S", "E", 250.0, 2),
        edge("left", "S", "F", 250.0),
        edge("side", "G", "S", 100.0),
    ],
    [
        ("in_0", "ahead_0", "S", 0),
        ("in_1", "ahead_1", "S", 1),
        ("in_2", "left_0", "S", 2),
        ("side_0", "ahead_0", "S", 3),
    ],
    {"S": ("GGgr", "rrGr", "rrrG")},
)
