"""Demand that real SUMO quits on is refused by a rehearsal, and no other."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import traffic_cases as cases

from trafficrl.config.simulation import SimulationConfig
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import DemandError, SimulationError
from trafficrl.simulation.rehearsal import rehearse

PLAIN = SimulationConfig()
EDGES = [street.tail for street in cases.city().streets]
HERE, THERE = EDGES[0], EDGES[-1]
ENDS = f'from="{HERE}" to="{THERE}"'
STOP = f'<trip id="v" depart="40" {ENDS}><stop {{}} duration="5"/></trip>'
TRIP = f'<trip id="v" depart="40" {ENDS} {{}}/>'
BAD = {
    "stop on no lane": (STOP.format('lane="nowhere_0"'), "'nowhere_0' for a stop is not known"),
    "no bus stop": (STOP.format('busStop="nowhere"'), "The busStop 'nowhere' is not known"),
    "no zone": ('<trip id="v" depart="40" fromTaz="a" toTaz="b"/>', "Source taz 'a' not known"),
    "no id": (f'<trip depart="40" {ENDS}/>', "Attribute 'id' is missing"),
    "lane word": (TRIP.format('departLane="middle"'), "Invalid departLane definition"),
    "speed": (TRIP.format('departSpeed="200"'), "Departure speed for vehicle 'v' is too high"),
    "number": ('<vType id="x" maxSpeed="-3"/>', "maxSpeed must be greater than 0"),
    "text": ('<vType id="x" accel="fast"/>', "accel"),
    "via": (TRIP.format('via="nowhere"'), "nowhere"),
    "repeat": (
        f'<route id="r" edges="{HERE}" repeat="2"/><vehicle id="v" depart="40" route="r"/>',
        "Disconnected route 'r' when repeating",
    ),
}


def given(tmp_path: Path, body: str) -> Scenario:
    file = tmp_path / "r.rou.xml"
    file.write_text(f"<routes>{body}</routes>", encoding="utf-8")
    return replace(cases.scenario(), route_files=(file,), end_s=120.0, num_scheduled=None)


def sumo_ends(scenario: Scenario) -> None:
    with cases.session(scenario) as session:
        for _ in range(120):
            session.step()


@pytest.mark.parametrize("case", BAD)
def test_what_sumo_quits_on_is_told_in_its_words(tmp_path: Path, case: str) -> None:
    body, words = BAD[case]
    scenario = given(tmp_path, body)
    with pytest.raises(SimulationError):
        sumo_ends(scenario)
    with pytest.raises(DemandError) as caught:
        rehearse(scenario, PLAIN, step_s=1.0)
    assert str(caught.value).startswith("SUMO would quit on r.rou.xml: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def on_bus_lanes(tmp_path: Path, kind: str) -> Scenario:
    """A trip to an edge that only buses may use."""
    text = cases.city().net_file.read_text(encoding="utf-8")
    text = re.sub(rf'(<lane id="{re.escape(THERE)}_[0-9]")', r'\1 allow="bus"', text)
    assert text.count('allow="bus"') == len(cases.city().edge_by_id[THERE].lanes)
    net_file = tmp_path / "buses.net.xml"
    net_file.write_text(text, encoding="utf-8")
    body = f'<vType id="kind" vClass="{kind}"/>' + TRIP.format('type="kind"')
    return replace(given(tmp_path, body), net_file=net_file)


def test_an_end_that_its_class_cannot_reach_is_told(tmp_path: Path) -> None:
    rehearse(on_bus_lanes(tmp_path, "bus"), PLAIN, step_s=1.0)
    scenario = on_bus_lanes(tmp_path, "truck")
    with pytest.raises(SimulationError, match="Vehicle 'v' has no valid route"):
        sumo_ends(scenario)
    with pytest.raises(DemandError, match="Vehicle 'v' has no valid route"):
        rehearse(scenario, PLAIN, step_s=1.0)
    # Who asks SUMO to leave such vehicles out is not told otherwise.
    rehearse(scenario, SimulationConfig(options={"ignore-route-errors": True}), step_s=1.0)


def test_good_demand_passes_whatever_the_simulation_is_like(tmp_path: Path) -> None:
    sublane = SimulationConfig(depart_lane="best", options={"lateral-resolution": 0.8})
    bus_stop = tmp_path / "stops.add.xml"
    bus_stop.write_text(f'<additional><busStop id="b" lane="{HERE}_0"/></additional>')
    body = "".join(
        STOP.format('busStop="b"').replace('"v"', f'"{i}"').replace('"40"', f'"{i}"')
        for i in range(100)
    )
    scenario = replace(given(tmp_path, body), additional_files=(bus_stop,))
    rehearse(scenario, sublane, step_s=0.5)
    rehearse(cases.scenario(), PLAIN, step_s=1.0)


def test_a_name_that_sumo_takes_for_two_is_told(tmp_path: Path) -> None:
    scenario = given(tmp_path, TRIP.format(""))
    (file,) = scenario.route_files
    comma = file.rename(tmp_path / "a,b.rou.xml")
    with pytest.raises(SimulationError, match=r"SUMO takes the comma .*choose a folder"):
        rehearse(replace(scenario, route_files=(comma,)), PLAIN, step_s=1.0)
