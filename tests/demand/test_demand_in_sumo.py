"""SUMO itself drives the demand on a generated city: every vehicle departs and arrives."""

import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sumo

from trafficrl.config.network import GridConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.network.build import build_network

NUM_VEHICLES = 240
HOME = Path(sumo.SUMO_HOME)


def elements(file: Path) -> list[ElementTree.Element]:
    # SUMO wrote the file a moment ago.
    return list(ElementTree.parse(file).getroot())  # noqa: S314


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("city")
    network = build_network(
        GridConfig(network_seed=24208, grid_dimension=4, block_size_m=200, lane_count="realistic"),
        folder / "cache",
    )
    config = GeneratedScenarioConfig(
        num_vehicles=NUM_VEHICLES,
        private_traffic_seed=72632,
        public_traffic_seed=27031,
        routing_strategy="shortest 40 realtime 20 fastest 20 attractiveness 20",
        vehicle_types="passenger 75 public 25",
        public_stop_spacing_m=300.0,
        public_dwell_s=15.0,
        departure_pattern="six_periods",
        start_time_hour=8.0,
    )
    return build_scenario("mixed", config, network, seeds=None, end_s=900.0, folder=folder)


@pytest.fixture(scope="module")
def driven(scenario: Scenario) -> tuple[str, Path]:
    """What SUMO said, and the folder of its outputs; it runs until the last vehicle is gone."""
    folder = scenario.route_files[0].parent
    command = [
        str(HOME / "bin" / "sumo"),
        *("--net-file", str(scenario.net_file), "--route-files", str(scenario.route_files[0])),
        *("--tripinfo-output", str(folder / "trips.xml"), "--vehroute-output.sorted"),
        *("--vehroute-output", str(folder / "ways.xml"), "--xml-validation", "never"),
        *("--stop-output", str(folder / "stops.xml")),
        *("--end", "7200", "--seed", "1", "--no-step-log", "true"),
    ]
    done = subprocess.run(
        command, env={"SUMO_HOME": str(HOME)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr, folder


def test_sumo_has_nothing_to_say_about_the_routes(driven: tuple[str, Path]) -> None:
    assert driven[0] == ""


def test_every_vehicle_arrives_where_its_trip_ends(
    scenario: Scenario, driven: tuple[str, Path]
) -> None:
    arrived = {e.attrib["id"]: e.attrib["arrivalLane"] for e in elements(driven[1] / "trips.xml")}
    wanted = {
        v.attrib["id"]: v.attrib["to"] if v.tag == "trip" else v[0].attrib["edges"].split()[-1]
        for v in elements(scenario.route_files[0])
        if v.tag != "vType"
    }
    assert len(arrived) == scenario.num_scheduled == NUM_VEHICLES
    assert {name: lane.rsplit("_", 1)[0] for name, lane in arrived.items()} == wanted


def test_vehicles_that_are_rerouted_have_the_device_and_no_others(
    driven: tuple[str, Path],
) -> None:
    kinds = {
        (trip.attrib["vType"], "routing_" in trip.attrib["devices"])
        for trip in elements(driven[1] / "trips.xml")
    }
    assert {(kind.partition("@")[0], device) for kind, device in kinds} == {
        ("passenger", False),
        ("public", False),
        ("passenger_realtime", True),
        ("passenger_fastest", True),
        ("passenger_attractiveness", True),
    }


def test_every_bus_stands_at_each_of_its_stops_as_long_as_asked(
    scenario: Scenario, driven: tuple[str, Path]
) -> None:
    planned = Counter(
        (vehicle.attrib["id"], stop.attrib["lane"])
        for vehicle in elements(scenario.route_files[0])
        for stop in vehicle.iter("stop")
    )
    stood = elements(driven[1] / "stops.xml")
    assert len(planned) > 30
    assert Counter((stop.attrib["id"], stop.attrib["lane"]) for stop in stood) == planned
    assert {float(s.attrib["ended"]) - float(s.attrib["started"]) for s in stood} == {15.0}
    assert {stop.attrib["type"] for stop in stood} == {"public"}
    # The front stands at least a bus and a car beyond the junction behind it.
    assert min(float(stop.attrib["pos"]) for stop in stood) > 18
