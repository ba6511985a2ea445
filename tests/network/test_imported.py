"""Networks that somebody else made: SUMO's own files and maps."""

import gzip
from pathlib import Path
from typing import Any

import pytest
import traffic_cases as cases
from osm_cases import TOWN, osm

from trafficrl.config.network import ClearanceConfig, NetFileConfig, OsmConfig, SignalsConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.route_files import read_route_files
from trafficrl.errors import NetworkError
from trafficrl.network.approaches import waiting_lanes
from trafficrl.network.build import build_network, load_network, save_network
from trafficrl.network.model import Network
from trafficrl.network.netxml import load_net

CITY = cases.city()


def imported(file: Path, cache: Path, **values: Any) -> Network:
    return build_network(NetFileConfig(file=str(file), **values), cache)


def mapped(text: str, folder: Path, **values: Any) -> Network:
    file = folder / "town.osm"
    file.write_text(text, encoding="utf-8")
    return build_network(OsmConfig(file=str(file), **values), folder / "cache")


def changed(network: Network, folder: Path, *pairs: tuple[str, str]) -> Path:
    """The network's file with words replaced."""
    text = network.net_file.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file = folder / "changed.net.xml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("packed", [False, True])
def test_a_network_is_taken_as_it_is(city: Network, tmp_path: Path, packed: bool) -> None:
    content = city.net_file.read_bytes()
    file = tmp_path / ("my.net.xml.gz" if packed else "my.net.xml")
    file.write_bytes(gzip.compress(content) if packed else content)
    network = imported(file, tmp_path / "cache")
    assert network.net_file.read_bytes() == content
    assert (network.edges, network.connections) == (city.edges, city.connections)
    assert network.land_use == ()
    for mine, its in zip(network.signals, city.signals, strict=True):
        assert [(p.state, p.duration_s) for p in mine.phases] == [
            (p.state, p.duration_s) for p in its.phases
        ]
        assert mine.incoming_lanes == its.incoming_lanes
    saved = save_network(network, tmp_path / "run")
    assert saved.signals == load_network(tmp_path / "run").signals == network.signals


def test_clearance_is_that_of_the_configuration(tmp_path: Path) -> None:
    signals = ClearanceConfig(yellow_s=4.0, all_red_s=1.0, min_green_s=7.0)
    for signal in imported(CITY.net_file, tmp_path, signals=signals).signals:
        assert (signal.yellow_s, signal.all_red_s, signal.min_green_s) == (4.0, 1.0, 7.0)


def test_other_clearance_makes_another_network(tmp_path: Path) -> None:
    hasty = ClearanceConfig(yellow_s=0.0, all_red_s=0.0)
    one, other = (imported(CITY.net_file, tmp_path, signals=s) for s in (ClearanceConfig(), hasty))
    assert one.net_file.read_bytes() == other.net_file.read_bytes()
    assert one.hash != other.hash


def test_a_short_edge_is_no_street(tmp_path: Path) -> None:
    edge = CITY.edges[0]
    old = f'length="{edge.length_m:.2f}"'
    text = CITY.net_file.read_text(encoding="utf-8")
    begin = text.index(f'<edge id="{edge.id}"')
    end = text.index("</edge>", begin)
    file = tmp_path / "short.net.xml"
    file.write_text(text[:begin] + text[begin:end].replace(old, 'length="19.00"') + text[end:])
    streets = {street.tail for street in imported(file, tmp_path / "cache").streets}
    assert streets == {e.id for e in CITY.edges if e.length_m >= 20 and e.id != edge.id}


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    other = tmp_path / "other.net.xml"
    other.write_bytes(CITY.net_file.read_bytes())
    first = imported(CITY.net_file, tmp_path / "cache")
    assert imported(other, tmp_path / "cache").net_file == first.net_file
    file = changed(CITY, tmp_path, ("13.89", "8.33"))
    assert imported(file, tmp_path / "cache").net_file != first.net_file


def test_every_edge_is_a_street_and_ends_lie_on_the_boundary(tmp_path: Path) -> None:
    network = mapped(TOWN, tmp_path)
    assert {street.tail for street in network.streets} == {edge.id for edge in network.edges}
    degree = {j.id: 0 for j in network.junctions}
    for edge in network.edges:
        degree[edge.from_node] += 1
    for street in network.streets:
        ends = (street.from_junction, street.to_junction)
        first, last = (degree[junction] == 1 for junction in ends)
        assert street.boundary == (first or last)
        weight = network.edge_by_id[street.tail].length_m / 100
        # Who leaves the town does not turn back at its end, nor comes from where the way in begins.
        assert street.depart_weight[0] == (0.0 if last else weight)
        assert street.arrive_weight[0] == (0.0 if first else weight)


def test_generated_trips_enter_and_leave_where_the_map_ends(tmp_path: Path) -> None:
    network = mapped(TOWN, tmp_path)
    scenario = cases.scenario_config(num_vehicles=300)
    built = build_scenario(
        "map", scenario, network, seeds=None, end_s=300.0, folder=tmp_path / "demand"
    )
    found = read_route_files(built.route_files, network, begin_s=0.0, end_s=300.0)
    streets = {street.tail: street for street in network.streets}
    ends = [edge.id for edge in network.edges]
    for start, end in zip(found.from_edge, found.to_edge, strict=True):
        assert streets[ends[start]].depart_weight[0] > 0
        assert streets[ends[end]].arrive_weight[0] > 0
    assert sum(streets[ends[start]].boundary for start in found.from_edge) > 50


def test_lanes_that_no_motor_vehicle_may_use_are_left_out(tmp_path: Path) -> None:
    edge = CITY.edges[0]
    first, second = edge.lanes[:2]
    path = (
        f'<lane id="{first.id}" index="0"',
        f'<lane id="{first.id}" index="0" allow="pedestrian"',
    )
    bus = (f'<lane id="{second.id}" index="1"', f'<lane id="{second.id}" index="1" allow="bus"')
    network = imported(changed(CITY, tmp_path, path, bus), tmp_path / "cache")
    lanes = network.edge_by_id[edge.id].lanes
    assert first.id not in network.lane_index
    assert [lane.open_to_all for lane in lanes] == [False] + [True] * (len(lanes) - 1)
    assert not any(first.id in (c.from_lane, c.to_lane) for c in network.connections)


def test_a_signal_with_one_green_is_left_to_its_plan(tmp_path: Path) -> None:
    signal = CITY.signals[0]
    pairs = [
        (f'state="{phase.state}"', f'state="{signal.phases[0].state}"')
        for phase in signal.phases[1:]
    ]
    text = CITY.net_file.read_text(encoding="utf-8")
    begin = text.index(f'<tlLogic id="{signal.id}"')
    end = text.index("</tlLogic>", begin)
    plan = text[begin:end]
    for old, new in pairs:
        plan = plan.replace(old, new)
    file = tmp_path / "one.net.xml"
    file.write_text(text[:begin] + plan + text[end:], encoding="utf-8")
    network = imported(file, tmp_path / "cache")
    assert [s.id for s in network.signals] == [s.id for s in CITY.signals[1:]]


def test_a_link_of_the_plan_without_a_connection_holds_no_lane(tmp_path: Path) -> None:
    connection = next(c for c in CITY.connections if c.signal_id is not None)
    net = load_net(CITY.net_file)
    gone = f'tl="{connection.signal_id}" linkIndex="{connection.link_index}" '
    network = imported(changed(CITY, tmp_path, (gone, "")), tmp_path / "cache")
    signal = next(s for s in network.signals if s.id == connection.signal_id)
    assert signal.incoming_lanes[connection.link_index] == ()
    assert len(signal.phases[0].state) == len(net.programs[signal.id][0].state)
    assert waiting_lanes(network).sum() < waiting_lanes(CITY).sum()


@pytest.mark.parametrize("packed", [False, True])
def test_a_map_becomes_a_network_with_its_signals(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / ("town.osm.gz" if packed else "town.osm")
    file.write_bytes(gzip.compress(TOWN.encode()) if packed else TOWN.encode())
    signals = SignalsConfig(cycle_s=80.0, yellow_s=4.0, all_red_s=1.0)
    config = OsmConfig(file=str(file), signals=signals)
    network = build_network(config, tmp_path / "cache")
    assert len(network.signals) == 4
    for signal in network.signals:
        assert len(signal.phases) == 2
        program = load_net(network.net_file).programs[signal.id]
        assert sum(part.duration_s for part in program) == 80.0
        assert {part.duration_s for part in program if "y" in part.state} == {4.0}
        assert {part.duration_s for part in program if set(part.state) == {"r"}} == {1.0}
    assert "<!--" not in network.net_file.read_text(encoding="utf-8")


def test_a_map_without_signals_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"no signal .* 12 junctions: take another map, or net"):
        mapped(osm(signals=False), tmp_path)
    assert list((tmp_path / "cache" / "networks").iterdir()) == []


def test_signals_are_guessed_where_that_is_asked_for(tmp_path: Path) -> None:
    fast = osm(signals=False).replace('v="50"', 'v="70"')
    assert len(mapped(fast, tmp_path, guess_signals=True).signals) == 4
    with pytest.raises(NetworkError, match=r"take another map$"):
        mapped(osm(signals=False), tmp_path, guess_signals=True)


@pytest.mark.parametrize("kind", [NetFileConfig, OsmConfig])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (TOWN.encode()[:900], "damaged|bad.xml: .* unexpected end"),
        (b"", "damaged"),
        (b"hello", "damaged"),
        (b'<!DOCTYPE net [<!ENTITY a "b">]><net>&a;</net>', "document type"),
        (b"<routes/>", "no SUMO network|no junction|no edges|failed"),
    ],
)
def test_a_bad_file_is_told_in_one_line_and_leaves_nothing(
    kind: type[NetFileConfig] | type[OsmConfig], content: bytes, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.xml"
    file.write_bytes(content)
    with pytest.raises(NetworkError, match=told) as caught:
        build_network(kind(file=str(file)), tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    assert ".building" not in str(caught.value)
    assert list((tmp_path / "cache" / "networks").iterdir()) == []


def test_a_signal_without_a_plan_is_told(tmp_path: Path) -> None:
    name = CITY.signals[0].id
    file = changed(CITY, tmp_path, (f'<tlLogic id="{name}"', '<tlLogic id="other"'))
    with pytest.raises(NetworkError, match=f"signal '{name}' has links but no plan"):
        imported(file, tmp_path / "cache")


def test_two_junctions_of_one_name_are_told(tmp_path: Path) -> None:
    one, two = (signal.id for signal in CITY.signals[:2])
    file = changed(CITY, tmp_path, (f'<junction id="{one}"', f'<junction id="{two}"'))
    with pytest.raises(NetworkError, match=f"it has 2 junctions of the name '{two}'"):
        imported(file, tmp_path / "cache")


def test_a_plan_that_does_not_fit_its_links_is_told(tmp_path: Path) -> None:
    state = CITY.signals[0].phases[0].state
    file = changed(CITY, tmp_path, (f'state="{state}"', f'state="{state}G"'))
    with pytest.raises(NetworkError, match=r"the plan of signal '.*' has states of \["):
        imported(file, tmp_path / "cache")
