import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trafficrl.network.turn_lanes import plan_head, receiving_lanes, spread

LANES = st.integers(1, 5)
TURNS = st.sets(st.sampled_from("rsl"))


@pytest.mark.parametrize(
    ("tail_lanes", "exits", "head"),
    [
        (2, {"r": 3, "s": 3, "l": 3, "t": 3}, ("r", "s", "lt")),
        (3, {"r": 3, "s": 3, "l": 3, "t": 3}, ("r", "s", "lt")),
        (5, {"r": 3, "s": 3, "l": 3, "t": 3}, ("r", "s", "s", "s", "lt")),
        (5, {"r": 3, "s": 2, "l": 3, "t": 3}, ("r", "s", "s", "l", "lt")),
        (3, {"r": 3, "s": 3, "t": 3}, ("r", "s", "s", "t")),
        (3, {"r": 3, "l": 2, "t": 3}, ("r", "l", "lt")),
        (3, {"r": 2, "t": 3}, ("r", "r", "t")),
        (3, {"t": 3}, ("t",)),
    ],
)
def test_turn_lanes(tail_lanes: int, exits: dict[str, int], head: tuple[str, ...]) -> None:
    assert plan_head(tail_lanes, exits) == head


@settings(deadline=None)  # other work on the machine slows single examples
@given(LANES, TURNS, LANES)
def test_each_exit_has_a_turn_lane_and_turns_never_cross(
    tail_lanes: int, turns: set[str], wide: int
) -> None:
    head = plan_head(tail_lanes, dict.fromkeys([*sorted(turns), "t"], wide))
    order = ["rslt".index(letter) for letters in head for letter in letters]
    assert order == sorted(order)
    assert {letter for letters in head for letter in letters} == turns | {"t"}
    assert "".join(head).count("t") == 1


@pytest.mark.parametrize(
    ("direction", "entering", "to_lanes", "lanes"),
    [
        ("r", "rslt", 3, [0]),
        ("s", "rslt", 3, [1]),
        ("l", "rslt", 3, [2]),
        ("t", "rslt", 3, [2]),
        ("s", "rslt", 2, [0, 1]),
        ("s", "slt", 3, [0, 1]),
        ("r", "rlt", 3, [0]),
        ("l", "rlt", 3, [1, 2]),
        ("r", "rt", 3, [0, 1, 2]),
        ("t", "t", 3, [0, 1, 2]),
    ],
)
def test_movements_arrive_by_position(
    direction: str, entering: str, to_lanes: int, lanes: list[int]
) -> None:
    found = receiving_lanes(direction, from_lanes=1, entering=entering, to_lanes=to_lanes)
    assert list(found) == lanes


@settings(deadline=None)  # other work on the machine slows single examples
@given(LANES, TURNS, st.data())
def test_together_the_movements_reach_every_lane(
    to_lanes: int, turns: set[str], data: st.DataObject
) -> None:
    entering = turns | {"t"}
    reached: set[int] = set()
    for letter in sorted(entering):
        from_lanes = data.draw(st.integers(1, to_lanes))
        found = receiving_lanes(letter, from_lanes=from_lanes, entering=entering, to_lanes=to_lanes)
        if letter != "t":
            assert len(found) >= from_lanes
        reached.update(found)
    assert reached == set(range(to_lanes))


@settings(deadline=None)  # other work on the machine slows single examples
@given(LANES, LANES)
def test_spread_keeps_the_order_and_uses_every_lane(from_lanes: int, to_lanes: int) -> None:
    pairs = spread(from_lanes, range(to_lanes))
    assert pairs == sorted(pairs)
    assert [to for _, to in pairs] == sorted(to for _, to in pairs)
    assert {start for start, _ in pairs} == set(range(from_lanes))
    assert {to for _, to in pairs} == set(range(to_lanes))
    assert len(pairs) == max(from_lanes, to_lanes)
