"""The surroundings of two signals on a one-way road, with a side street and a way back."""

from pathlib import Path

import pytest

from trafficrl.network.model import Connection, Edge, Lane, Network
from trafficrl.network.signals import Phase, Signal
from trafficrl.network.surroundings import Surroundings

LENGTHS_M = {
    "first": 50.0,  # stop line of A
    "tail": 100.0,  # from A, and from the side street, to the head
    "side": 80.0,
    "far": 500.0,  # leads to the side street
    "head": 30.0,  # stop line of B
    "loop": 40.0,  # from B back to the tail
    "out": 60.0,
}
WAYS = [
    ("first", "tail", "A"),
    ("side", "tail", None),
    ("far", "side", None),
    ("tail", "head", None),
    ("head", "out", "B"),
    ("head", "loop", "B"),
    ("loop", "tail", None),
    ("loop", "out", "crossing"),  # no signal of ours: people on foot
]


def network() -> Network:
    edges = tuple(
        Edge(name, "here", "there", (Lane(f"{name}_0", length_m, 13.9, ()),))
        for name, length_m in LENGTHS_M.items()
    )
    links = [
        Connection(f"{here}_0", f"{there}_0", "s", signal, 0 if signal else -1)
        for here, there, signal in WAYS
    ]
    a = signal("A", ["G"], [("first_0",)], [("tail_0",)])
    b = signal("B", ["Gr", "rG"], [("head_0",), ("head_0",)], [("out_0",), ("loop_0",)])
    return Network(Path("a.net.xml"), "h", (), edges, tuple(links), (a, b), (), ())


def signal(
    name: str, states: list[str], incoming: list[tuple[str, ...]], outgoing: list[tuple[str, ...]]
) -> Signal:
    phases = tuple(Phase(state, state, 20.0) for state in states)
    return Signal(name, phases, 3.0, 2.0, 5.0, tuple(incoming), tuple(outgoing))


def names(groups: list[list[int]]) -> list[set[str]]:
    return [{list(LENGTHS_M)[lane] for lane in lanes} for lanes in groups]


def test_lanes_of_phases_and_signals() -> None:
    around = Surroundings.of(network(), reach_m=300.0)
    assert names(around.stop) == [{"first"}, {"head"}, {"head"}]
    assert names(around.ahead) == [{"tail"}, {"out"}, {"loop"}]
    assert names(around.behind) == [set(), *[{"tail", "side", "far", "loop"}] * 2]
    assert names(around.approach) == [{"first"}, {"head", "tail", "side", "far", "loop"}]


def test_who_sends_is_another_signal_and_both_are_neighbours() -> None:
    """B leads into its own approach, but does not send to itself."""
    around = Surroundings.of(network(), reach_m=300.0)
    assert names(around.sending) == [set(), {"first"}, {"first"}]
    assert around.neighbours == [[1], [0]]


@pytest.mark.parametrize(
    ("reach_m", "behind"),
    [
        (0.0, set()),
        (30.0, set()),
        (30.1, {"tail"}),
        (130.0, {"tail"}),
        (130.1, {"tail", "side", "loop"}),
        (210.1, {"tail", "side", "loop", "far"}),
    ],
)
def test_lanes_count_whose_end_is_within_reach(reach_m: float, behind: set[str]) -> None:
    around = Surroundings.of(network(), reach_m=reach_m)
    assert names(around.behind)[1] == behind
    assert around.neighbours == ([[1], [0]] if behind else [[], []])
