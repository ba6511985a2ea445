"""What is read of SUMO's mesoscopic model, against every vehicle of it, asked one by one."""

from pathlib import Path
from xml.etree import ElementTree

import libsumo
import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.execution import Backend, Simulator
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import TrafficState

NETWORK = cases.city()
PHASE = np.zeros(len(NETWORK.signals), dtype=np.int64)
AGE_S = np.zeros(len(NETWORK.signals))
MESO = Simulator.meso


def drive(session: SumoSession, *, steps: int, red: bool = False) -> TrafficState:
    """The state after so many steps, under the plan or with every signal red."""
    reader = StateReader(session, NETWORK, sample_s=1.0)
    for signal in NETWORK.signals:
        if red:
            session.show(signal.id, "r" * len(signal.phases[0].state))
    reader.read(PHASE, AGE_S)
    for _ in range(steps):
        session.step()
        reader.tick()
    return reader.read(PHASE, AGE_S)


def held_s(vehicle: str) -> float:
    """Since when it could have left where it is: the first of a queue waits, and behind it SUMO
    leaves the time at which a vehicle could go as it was."""
    waiting_s = float(libsumo.vehicle.getWaitingTime(vehicle))
    since_s = float(libsumo.vehicle.getLastActionTime(vehicle))
    return waiting_s or max(0.0, float(libsumo.simulation.getTime()) - since_s)


def test_a_queue_at_red_is_seen_whole() -> None:
    with cases.session(cases.scenario(600, 600.0), simulator=MESO) as session:
        state = drive(session, steps=250, red=True)
        there = [v for e in NETWORK.edges for v in libsumo.edge.getLastStepVehicleIDs(e.id)]
        halting = sum(libsumo.edge.getLastStepHaltingNumber(edge.id) for edge in NETWORK.edges)
        held = [held_s(vehicle) for vehicle in there]
    assert state.totals.arrived_veh == 0, "red holds them"
    assert len(there) > 100
    assert state.now.vehicles_veh.sum() == pytest.approx(len(there))
    assert state.now.queue_veh.sum() == pytest.approx(sum(one > 1.0 for one in held), rel=0.1)
    assert state.now.waiting_s.sum() == pytest.approx(sum(held), rel=0.3)
    assert halting < 0.6 * len(there), "SUMO itself would count only the first of each queue"


def test_each_lane_has_its_even_share_of_its_edge() -> None:
    with cases.session(cases.scenario(600, 600.0), simulator=MESO) as session:
        state = drive(session, steps=120)
        taken = 0
        for edge in NETWORK.edges:
            vehicles = libsumo.edge.getLastStepVehicleNumber(edge.id)
            lanes = [NETWORK.lane_index[lane.id] for lane in edge.lanes]
            speed_mps = libsumo.edge.getLastStepMeanSpeed(edge.id) if vehicles else edge.speed_mps
            assert state.now.vehicles_veh[lanes] == pytest.approx(vehicles / len(lanes))
            assert state.now.speed_mps[lanes] == pytest.approx(speed_mps)
            queue = vehicles * max(0.0, 1.0 - speed_mps / edge.speed_mps)
            assert state.now.queue_veh[lanes] == pytest.approx(queue / len(lanes))
            taken += vehicles > 0 and len(lanes) > 1
    assert taken > 5, "some edges have several lanes and traffic"


def test_the_speed_of_an_edge_is_the_one_that_sumo_gives() -> None:
    """Both means of the state: no lane is empty beside one that is not."""
    with cases.session(cases.scenario(600, 600.0), simulator=MESO) as session:
        reader = StateReader(session, NETWORK, sample_s=1.0)
        for _ in range(120):
            session.step()
        reader.tick()
        state = reader.read(PHASE, AGE_S)
        expected = [
            libsumo.edge.getLastStepMeanSpeed(edge.id)
            if libsumo.edge.getLastStepVehicleNumber(edge.id)
            else edge.speed_mps
            for edge in NETWORK.edges
        ]
    by_vehicles, by_lanes = state.edge_speeds_mps()
    assert by_vehicles == pytest.approx(np.array(expected))
    assert by_lanes == pytest.approx(np.array(expected))


@pytest.mark.parametrize("step_s", [1.0, 0.5])
def test_counts_are_those_of_sumos_statistics(step_s: float, tmp_path: Path) -> None:
    scenario = cases.scenario(600, 600.0)
    with cases.session(scenario, simulator=MESO, step_s=step_s, output_dir=tmp_path) as session:
        totals = drive(session, steps=round(400 / step_s)).totals
    # SUMO wrote the file a moment ago.
    found = ElementTree.parse(tmp_path / "statistics.xml").getroot().find("vehicles")  # noqa: S314
    assert found is not None
    running, waiting = int(found.attrib["running"]), int(found.attrib["waiting"])
    assert totals.running_veh == running > 0
    assert totals.backlog_veh == waiting > 0
    assert totals.arrived_veh == int(found.attrib["inserted"]) - running > 0


def test_both_ways_to_sumo_read_the_same() -> None:
    def read(backend: Backend) -> list[bytes]:
        with cases.session(cases.scenario(200), simulator=MESO, backend=backend) as session:
            state = drive(session, steps=60)
            rows = (state.mean.vehicles_veh, state.mean.queue_veh, state.mean.waiting_s)
            return [row.tobytes() for row in rows]

    assert read(Backend.libsumo) == read(Backend.traci)
