import pytest
from grid_cases import REALISTIC, small_grid

from trafficrl.errors import NetworkError
from trafficrl.network.grid import build_grid


def ids(**changes: object) -> list[str]:
    return [junction.id for junction in build_grid(small_grid(**changes)).junctions]


def test_published_seed_removes_the_published_junctions() -> None:
    left = {junction.id for junction in build_grid(REALISTIC).junctions}
    every = {f"{column}{row}" for column in "ABCDEF" for row in range(6)}
    assert every - left == {"A3", "B3"}


def test_published_grid_has_its_streets() -> None:
    streets = build_grid(REALISTIC).streets
    assert len(streets) == 108
    assert sum(street.boundary for street in streets) == 36


def test_exits_of_the_published_grid_by_direction() -> None:
    grid = build_grid(REALISTIC)
    found = [letter for street in grid.streets for letter in grid.exits(street)]
    assert {letter: found.count(letter) for letter in "rslt"} == {
        "r": 86,
        "s": 80,
        "l": 86,
        "t": 108,
    }


def test_right_is_right() -> None:
    grid = build_grid(small_grid())
    north = next(street for street in grid.streets if street.id == "B0B1")
    exits = {letter: street.end.id for letter, street in grid.exits(north).items()}
    assert exits == {"r": "C1", "s": "B2", "l": "A1", "t": "B0"}


def test_junctions_lie_where_their_ids_say_beyond_ten_rows() -> None:
    grid = build_grid(small_grid(grid_dimension=12, block_size_m=100))
    places = {junction.id: (junction.x_m, junction.y_m) for junction in grid.junctions}
    assert places["A10"] == (0.0, 1000.0)
    assert places["L11"] == (1100.0, 1100.0)
    assert len({street.id for street in grid.streets}) == len(grid.streets) == 2 * 2 * 12 * 11


def test_junctions_removed_by_id() -> None:
    assert ids(junctions_to_remove=" A0, B0") == ["A1", "A2", "B1", "B2", "C0", "C1", "C2"]


def test_a_number_may_come_as_text() -> None:
    assert ids(junctions_to_remove="1") == ids(junctions_to_remove=1)


def test_another_seed_removes_others() -> None:
    assert ids(junctions_to_remove=1) != ids(junctions_to_remove=1, network_seed=8)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("A9", "unknown 'A9'"),
        ("A1,A1", "'A1' is given twice"),
        ("A1,", "unknown ''"),
        ("8", "must leave two junctions of 9"),
        ("A0,A1,A2,B0,B1,B2,C0,C1", "fewer than two junctions remain"),
        ("A0,A1,A2,B0,B1,B2,C0,C1,C2", "fewer than two junctions remain"),
        ("B0,B1,B2", "C0 cannot be reached from A0"),
    ],
)
def test_impossible_removal_is_told_in_one_line(asked: str, told: str) -> None:
    with pytest.raises(NetworkError) as caught:
        ids(junctions_to_remove=asked)
    message = str(caught.value)
    assert message.startswith("network.junctions_to_remove")
    assert told in message
    assert "\n" not in message


def test_unknown_junction_of_a_large_grid_is_told_in_a_short_line() -> None:
    with pytest.raises(NetworkError, match="A0 to T19") as caught:
        ids(grid_dimension=20, junctions_to_remove="Z9")
    assert len(str(caught.value)) < 150
