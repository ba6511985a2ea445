"""The route file: complete, escaped, ordered, equal in every process; and what goes wrong."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from demand_grid import grid_network

import trafficrl
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.demand import build
from trafficrl.demand.build import build_scenario, keep_demand
from trafficrl.demand.scenario import DemandSeeds, Scenario
from trafficrl.errors import DemandError
from trafficrl.network.model import DAY_PHASES, Network

NETWORK = grid_network(4)
EVERY = "shortest 25 realtime 25 fastest 25 attractiveness 25"


def scenario_of(
    folder: Path,
    *,
    name: str = "rush",
    network: Network = NETWORK,
    seeds: DemandSeeds | None = None,
    **values: Any,
) -> Scenario:
    given = {"num_vehicles": 300, "start_time_hour": 8.0} | values
    config = GeneratedScenarioConfig(private_traffic_seed=11, public_traffic_seed=12, **given)
    return build_scenario(name, config, network, seeds=seeds, end_s=900.0, folder=folder)


def elements(scenario: Scenario) -> list[ElementTree.Element]:
    # The file was written by the code under test a moment ago.
    return list(ElementTree.parse(scenario.route_files[0]).getroot())  # noqa: S314


def vehicles(scenario: Scenario) -> list[ElementTree.Element]:
    return [element for element in elements(scenario) if element.tag != "vType"]


def test_every_vehicle_is_in_the_file_in_order_of_departure(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, routing_strategy="shortest 50 realtime 50")
    departures = [float(vehicle.attrib["depart"]) for vehicle in vehicles(scenario)]
    assert len({vehicle.attrib["id"] for vehicle in vehicles(scenario)}) == 300
    assert departures == sorted(departures)
    assert (scenario.begin_s, scenario.end_s, scenario.num_scheduled) == (0.0, 900.0, 300)
    assert scenario.net_file == NETWORK.net_file


def test_each_kind_of_vehicle_says_how_it_finds_its_way(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, routing_strategy="shortest 50 realtime 50")
    tails = {street.tail for street in NETWORK.streets}
    for vehicle in vehicles(scenario):
        if vehicle.tag == "trip":
            assert vehicle.attrib["type"] == "passenger_realtime"
            assert {vehicle.attrib["from"], vehicle.attrib["to"]} <= tails
        else:
            assert vehicle.attrib["type"] in {"passenger", "public"}
            edges = vehicle[0].attrib["edges"].split()
            assert {edges[0], edges[-1]} <= tails
        assert ("line" in vehicle.attrib) == (vehicle.attrib["type"] == "public")


def test_each_strategy_has_its_own_device(tmp_path: Path) -> None:
    routing = "shortest 40 realtime 20 fastest 20 attractiveness 20"
    scenario = scenario_of(tmp_path, routing_strategy=routing)
    types = {
        element.attrib["id"]: {param.attrib["key"]: param.attrib["value"] for param in element}
        for element in elements(scenario)
        if element.tag == "vType"
    }
    device = "device.rerouting"
    assert types == {
        "passenger": {"has.rerouting.device": "false"},
        "passenger_realtime": {
            "has.rerouting.device": "true",
            f"{device}.period": "30",
            f"{device}.threshold.factor": "1",
        },
        "passenger_fastest": {
            "has.rerouting.device": "true",
            f"{device}.period": "45",
            f"{device}.threshold.factor": "1.15",
            f"{device}.pre-period": "0",
        },
        "passenger_attractiveness": {
            "has.rerouting.device": "true",
            f"{device}.period": "60",
            f"{device}.threshold.factor": "1.12",
            f"{device}.pre-period": "0",
        },
        "public": {"has.rerouting.device": "false"},
    }


def test_unused_types_are_left_out(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, vehicle_types="passenger 100")
    assert [e.attrib["id"] for e in elements(scenario) if e.tag == "vType"] == ["passenger"]


def test_insertion_follows_the_configuration_for_all(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, depart_lane="first", depart_speed="2.5")
    found = {(v.attrib["departLane"], v.attrib["departSpeed"]) for v in vehicles(scenario)}
    assert found == {("first", "2.5")}


def test_ids_from_elsewhere_are_escaped(tmp_path: Path) -> None:
    street = NETWORK.streets[0]
    odd = '<&">'
    renamed = replace(
        NETWORK,
        edges=tuple(replace(e, id=odd) if e.id == street.tail else e for e in NETWORK.edges),
        streets=tuple(
            replace(s, tail=odd) if s.tail == street.tail else s for s in NETWORK.streets
        ),
    )
    scenario = scenario_of(tmp_path, network=renamed)
    used = {edge for v in vehicles(scenario) for edge in v[0].attrib["edges"].split()}
    assert odd in used


def test_fixed_seeds_name_the_file_and_fresh_ones_give_other_trips(tmp_path: Path) -> None:
    fixed = scenario_of(tmp_path)
    same = scenario_of(tmp_path / "again", seeds=DemandSeeds(11, 12))
    fresh = scenario_of(tmp_path, seeds=DemandSeeds(2**30, 2**30 + 1))
    assert fixed.route_files[0] == tmp_path / "rush-11-12.rou.xml"
    assert fresh.route_files[0].name == "rush-1073741824-1073741825.rou.xml"
    assert same.route_files[0].read_bytes() == fixed.route_files[0].read_bytes()
    assert fresh.route_files[0].read_bytes() != fixed.route_files[0].read_bytes()


def plain_network() -> Network:
    """As from a file: nobody knows its land use or its border, and streets have one section."""
    equal = (1.0,) * len(DAY_PHASES)
    streets = tuple(
        replace(s, boundary=False, depart_weight=equal, arrive_weight=equal)
        for s in NETWORK.streets
    )
    return replace(NETWORK, streets=streets, land_use=())


def test_a_network_without_land_use_has_demand(tmp_path: Path) -> None:
    scenario = scenario_of(
        tmp_path,
        network=plain_network(),
        num_vehicles=4000,
        passenger_routes="inner 100",
        public_routes="inner 100",
        routing_strategy=EVERY,
    )
    starts = Counter(
        v.attrib.get("from") or v[0].attrib["edges"].split()[0]
        for v in vehicles(scenario)
        if v.attrib["type"] != "public"
    )
    assert len(vehicles(scenario)) == 4000
    # 3600 cars over 48 equal streets: 75 each, give or take four standard deviations.
    assert len(starts) == 48
    assert all(40 < count < 110 for count in starts.values())


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_build_scenario import EVERY, scenario_of
scenario_of(Path(sys.argv[2]), routing_strategy=EVERY)
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_every_process_writes_the_same_file(tmp_path: Path, hash_seed: str) -> None:
    here = scenario_of(tmp_path / "here", routing_strategy=EVERY)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path / "there")],
        env={"PYTHONHASHSEED": hash_seed},
        cwd=Path(trafficrl.__file__).parents[1],
        check=True,
    )
    there = tmp_path / "there" / here.route_files[0].name
    assert sha256(there.read_bytes()).digest() == sha256(here.route_files[0].read_bytes()).digest()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"network": grid_network(2)},
            "scenarios.rush: route pattern 'in' finds no pair of streets (boundary to inner)",
        ),
        (
            {"network": replace(NETWORK, streets=())},
            "scenarios.rush: hand_made.net.xml: no street on which trips could start or end",
        ),
        (
            {"network": replace(NETWORK, connections=())},
            "scenarios.rush: route pattern 'in' finds no pair of streets",
        ),
        (
            {"network": plain_network()},
            "scenarios.rush: route pattern 'in' finds no pair of streets (boundary to inner) in "
            "the morning: the network has 0 boundary and 48 inner streets; give it a share of 0",
        ),
        ({"depart_lane": "bset"}, "scenarios.rush: depart_lane: unknown 'bset'; choices: random,"),
        ({"depart_speed": "-1"}, "scenarios.rush: depart_speed: unknown '-1'; choices: random,"),
        ({"depart_lane": "2"}, "scenarios.rush: depart_lane: street 'A0A1' has the lanes 0 to 1,"),
        (
            {"depart_speed": "11.2"},
            "scenarios.rush: depart_speed must be at most 11.1 [m/s], the top speed of 'public',",
        ),
        (
            {"depart_speed": "13.9", "vehicle_types": "passenger 100"},
            "scenarios.rush: depart_speed must be at most 13.89 [m/s], the speed limit of street",
        ),
        (
            {"departure_pattern": "custom:08:00-09:00,50"},
            "scenarios.rush: departure_pattern: the window 08:00-09:00 does not lie within",
        ),
        ({"name": "../rush"}, "scenarios.../rush: '../rush' cannot begin a file's name"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_line_and_leaves_no_file(
    tmp_path: Path, values: dict[str, Any], line: str
) -> None:
    with pytest.raises(DemandError, match=f"^{re.escape(line)}") as caught:
        scenario_of(tmp_path / "demand", **values)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "rush-11-12.rou.xml").mkdir()
    with pytest.raises(DemandError, match=r"rush-11-12\.rou\.xml: the route file cannot be"):
        scenario_of(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rush-11-12.rou.xml"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "demand").write_text("occupied")
    with pytest.raises(DemandError, match=r"demand/rush-11-12\.rou\.xml: the route file cannot be"):
        scenario_of(tmp_path / "demand")
    assert (tmp_path / "demand").read_text() == "occupied"


def test_a_demand_is_drawn_again_only_when_something_that_decides_it_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = GeneratedScenarioConfig(
        num_vehicles=50, start_time_hour=8.0, private_traffic_seed=11, public_traffic_seed=12
    )
    drawn = []
    draw = build._build_demand

    def counted(*arguments: Any) -> tuple[str, int]:
        drawn.append(arguments)
        return draw(*arguments)

    monkeypatch.setattr(build, "_build_demand", counted)

    def text(end_s: float = 900.0, network: Network = NETWORK, seed: int | None = None) -> str:
        seeds = None if seed is None else DemandSeeds(seed, seed)
        scenario = build_scenario(
            "kept", config, network, seeds=seeds, end_s=end_s, folder=tmp_path
        )
        return scenario.route_files[0].read_text()

    keep_demand("kept", config, NETWORK, seeds=None, end_s=900.0)
    first = text()
    assert text() == first
    assert len(drawn) == 1
    config.num_vehicles = 60  # in the configuration that was kept
    found = [text(), text(800.0), text(800.0, grid_network(3)), text(seed=1), text(seed=2)]
    assert len(drawn) == 6
    assert len({first, *found}) == 6
    config.num_vehicles = 50
    assert text() == first
