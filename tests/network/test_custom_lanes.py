from collections import defaultdict
from pathlib import Path

import pytest
from grid_cases import small_grid, stop_line
from omegaconf import OmegaConf

from trafficrl.config.load import plain_values
from trafficrl.config.network import GridConfig, Strategy
from trafficrl.errors import ConfigError, NetworkError
from trafficrl.network.build import build_network
from trafficrl.network.model import Network, Street

STREET_LANES = "A1B1=tail:4,head:B1C1:3;B1C1=tail:3 ; C1B1 = head:"
DIRECTIONS = {"B1C1": "s", "B1B0": "r", "B1B2": "l", "B1A1": "t"}


def built(cache_dir: Path, text: str, **changes: object) -> Network:
    return build_network(small_grid(lane_count=2, custom_lanes=text, **changes), cache_dir)


def lanes(network: Network, edge: str) -> int:
    return len(network.edge_by_id[edge].lanes)


def widths(network: Network, street: Street) -> tuple[int, int]:
    """Lanes of the tail and at the stop line of the street of that name."""
    (way,) = (way for way in network.streets if way.tail == street.tail)
    return lanes(network, way.tail), len(stop_line(network, way))


def stop_lanes(network: Network, street: str) -> list[str]:
    """Directions of each lane at the stop line."""
    found = defaultdict(set)
    for connection in network.connections:
        found[connection.from_lane].add(connection.direction)
    (way,) = (way for way in network.streets if way.tail == street)
    return ["".join(sorted(found[lane.id])) for lane in stop_line(network, way)]


def test_lanes_are_those_given_by_hand_and_no_others(cache_dir: Path) -> None:
    plain, custom = built(cache_dir, ""), built(cache_dir, STREET_LANES)
    assert lanes(custom, "A1B1") == 4
    assert lanes(custom, "B1C1") == 3
    assert stop_lanes(plain, "A1B1") == ["r", "s", "lt"]
    assert stop_lanes(custom, "A1B1") == ["r", "s", "s", "s", "lt"]
    other = {way.tail for way in plain.streets if widths(plain, way) != widths(custom, way)}
    assert other <= {"A1B1", "B1C1", "C1B1"}


def test_each_movement_can_have_its_own_lanes(cache_dir: Path) -> None:
    network = built(cache_dir, "A1B1=head:B1B0:2,B1C1:1,head:B1B2:2,B1A1:2")
    assert stop_lanes(network, "A1B1") == ["r", "r", "s", "l", "l", "t", "t"]


def test_a_dead_end_leads_back_alone(cache_dir: Path) -> None:
    network = built(cache_dir, "A1B1=head:")
    assert stop_lanes(network, "A1B1") == ["t"]
    assert {c.to_lane.split("_")[0] for c in network.connections if "A1B1_H" in c.from_lane} == {
        "B1A1"
    }
    assert lanes(network, "A1B1") == 2


@pytest.mark.parametrize("strategy", list(Strategy))
def test_custom_cities_keep_every_promise(cache_dir: Path, strategy: Strategy) -> None:
    network = built(cache_dir, STREET_LANES, traffic_light_strategy=strategy)
    every = {lane.id for lane in network.lanes}
    assert {connection.to_lane for connection in network.connections} == every
    assert {connection.from_lane for connection in network.connections} == every
    for signal in network.signals:
        assert all(
            "G" in letters or "g" in letters
            for letters in zip(*(phase.state for phase in signal.phases), strict=True)
        )


def test_dead_ends_on_all_sides_keep_their_signal(cache_dir: Path) -> None:
    ends = "A1B1=head:;B0B1=head:;C1B1=head:;B2B1=head:"
    network = built(cache_dir, ends, traffic_light_strategy=Strategy.opposites)
    (centre,) = (signal for signal in network.signals if signal.id == "B1")
    assert [phase.name for phase in centre.phases] == ["NS u-turn", "EW u-turn"]


def test_dead_ends_that_cut_the_city_in_two_are_told(tmp_path: Path) -> None:
    line = small_grid(
        lane_count=2,
        junctions_to_remove="A1,B1,C1,A2,B2,C2",
        custom_lanes="A0B0=head:;C0B0=head:",
    )
    with pytest.raises(NetworkError, match="leave no way from A0B0 to B0C0") as caught:
        build_network(line, tmp_path)
    assert "the dead ends A0B0, C0B0" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A1B1", "'A1B1': write STREET=tail:N,head:TO_STREET:N"),
        ("=tail:2", "'=tail:2': write STREET="),
        ("A1B1=", "write STREET="),
        ("A1B1=lanes:2", "cannot read 'lanes:2'"),
        ("A1B1=B1C1:2", "cannot read 'B1C1:2'"),
        ("A1B1=tail:2:3", "cannot read 'tail:2:3'"),
        ("A1B1=head:B1C1", "cannot read 'head:B1C1'"),
        ("A1B1=tail:2,,head:B1C1:1", "cannot read ''"),
        ("A1B1=tail:two", "lanes must be a number 1 to 5, got 'two'"),
        ("A1B1=tail:-1", "got '-1'"),
        ("A1B1=tail:2.5", "got '2.5'"),
        ("A1B1=tail:", "got ''"),
        ("A1B1=tail:6", "lanes must be in 1..5, got 6"),
        ("A1B1=head:B1C1:0", "lanes must be in 1..5, got 0"),
        ("A1B1=tail:2,tail:3", "'tail' is given twice"),
        ("A1B1=head:B1C1:1,B1C1:1", "'B1C1' is given twice"),
        ("A1B1=tail:2;A1B1=tail:3", "street 'A1B1' is given twice"),
        ("A1B1=head:,head:B1C1:2", "a dead end (head:) leads to no street, got B1C1"),
    ],
)
def test_a_wrong_entry_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small_grid(custom_lanes=text)
    assert str(caught.value).startswith("network.custom_lanes line 1 '")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A1B1=tail:3\nA1B9=tail:2", "line 2 'A1B9=tail:2': a street: unknown 'A1B9'"),
        ("A1B1=head:B1D1:1", "a street after A1B1: unknown 'B1D1'"),
        ("A1B1=head:B1D1:1", "choices: B1A1, B1B0, B1B2, B1C1"),
        ("A1B1=head:A1B1:1", "a street after A1B1: unknown 'A1B1'"),
        ("A1B1=head:B1C1:4", "4 lanes cannot lead into B1C1, which has 2"),
    ],
)
def test_what_the_grid_does_not_have_is_told_in_one_line(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        built(tmp_path, text)
    assert str(caught.value).startswith("network.custom_lanes line ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_an_unknown_street_of_a_large_grid_is_told_in_a_short_line(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="named by its two junctions, such as A0A1") as caught:
        built(tmp_path, "A1C1=tail:2", grid_dimension=12)
    assert len(str(caught.value)) < 200


def test_fewer_lanes_than_the_strategy_needs_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lanes of the tail must be in 2\.\.5, got 1"):
        built(tmp_path, "A1B1=tail:1")
    network = built(tmp_path, "A1B1=tail:1", traffic_light_strategy=Strategy.incoming)
    assert lanes(network, "A1B1") == 1


def test_streets_without_turn_lanes_take_no_custom_lanes() -> None:
    with pytest.raises(ConfigError, match=r"network\.lane_count 0 allows no custom lanes"):
        small_grid(
            lane_count=0, traffic_light_strategy=Strategy.opposites, custom_lanes="A1B1=tail:2"
        )


def test_a_file_is_the_same_as_its_entries(tmp_path: Path, cache_dir: Path) -> None:
    file = tmp_path / "lanes.txt"
    file.write_text("# by hand\r\nA1B1=tail:4,head:B1C1:3  # wide\n\nB1C1=tail:3\nC1B1=head:\n")
    config = small_grid(lane_count=2, custom_lanes_file=str(file))
    assert config.custom_lanes == "\nA1B1=tail:4,head:B1C1:3\n\nB1C1=tail:3\nC1B1=head:"
    file.unlink()  # what a run needs is in its configuration
    network = build_network(config, cache_dir)
    assert network.edges == built(cache_dir, STREET_LANES).edges


def test_lines_of_a_file_are_counted_to_the_end(tmp_path: Path) -> None:
    file = tmp_path / "lanes.txt"
    file.write_text("# by hand\n\nA9B9=tail:3\n")
    config = small_grid(custom_lanes_file=str(file))
    with pytest.raises(NetworkError, match="line 3 'A9B9=tail:3'"):
        build_network(config, tmp_path)


def test_entries_come_back_from_the_file_of_a_run(tmp_path: Path) -> None:
    file = tmp_path / "lanes.txt"
    file.write_text("# by hand\n\nA1B1=tail:3,head:B1C1:2 # wide\nB1B2=head:\n")
    config = small_grid(custom_lanes_file=str(file))
    text = OmegaConf.to_yaml(OmegaConf.create(plain_values(config)))
    values = OmegaConf.merge(OmegaConf.structured(GridConfig), OmegaConf.create(text))
    assert OmegaConf.to_object(values) == config


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file"),
        (b"A1B1=tail:2\n\xff\xfe", "is no text"),
        (b"# lanes\n\nA1B1=tail:9\n", "line 3 'A1B1=tail:9': lanes must be in 1..5, got 9"),
    ],
)
def test_a_bad_file_is_told_with_its_name_and_line(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "lanes.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        small_grid(custom_lanes_file=str(file))
    assert str(caught.value).startswith(f"network.custom_lanes_file {str(file)!r}")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_both_keys_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="are both given"):
        small_grid(custom_lanes="A1B1=tail:2", custom_lanes_file="lanes.txt")
