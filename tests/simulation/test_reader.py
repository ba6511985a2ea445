"""The state of a decision against every vehicle of every second, asked from SUMO one by one."""

from pathlib import Path

import libsumo
import numpy as np
import pytest
import traffic_cases as cases
from numpy.typing import NDArray

from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import Lanes, TrafficState

NETWORK = cases.city()
LIMIT_MPS = np.array([lane.speed_mps for lane in NETWORK.lanes])
PHASE = np.arange(len(NETWORK.signals))
AGE_S = np.linspace(-1.0, 9.0, len(NETWORK.signals))
Rows = NDArray[np.float64]


def vehicle_by_vehicle() -> Rows:
    """(4, L) vehicles, those slower than 0.1 m/s, sum of speeds, sum of waiting times."""
    rows = np.zeros((4, len(NETWORK.lanes)))
    for column, lane in enumerate(NETWORK.lanes):
        for vehicle in libsumo.lane.getLastStepVehicleIDs(lane.id):
            speed_mps = libsumo.vehicle.getSpeed(vehicle)
            waiting_s = libsumo.vehicle.getWaitingTime(vehicle)
            rows[:, column] += (1, speed_mps < 0.1, speed_mps, waiting_s)
    return rows


def count_backlog() -> int:
    return len(libsumo.simulation.getPendingVehicles())


def drive(
    session: SumoSession, reader: StateReader, *, steps: int
) -> tuple[TrafficState, list[Rows], list[tuple[int, int, int]]]:
    """The state after so many steps; of each step the rows, and arrived, running and backlog."""
    rows, counts = [], []
    for _ in range(steps):
        session.step()
        reader.tick()
        rows.append(vehicle_by_vehicle())
        arrived = len(libsumo.simulation.getArrivedIDList())
        counts.append((arrived, len(libsumo.vehicle.getIDList()), count_backlog()))
    return reader.read(PHASE, AGE_S), rows, counts


def check_lanes(lanes: Lanes, rows: Rows) -> None:
    vehicles, queue, moved, waiting = rows
    driven = vehicles > 0
    speed = np.where(driven, moved / np.where(driven, vehicles, 1.0), LIMIT_MPS)
    assert lanes.vehicles_veh == pytest.approx(vehicles)
    assert lanes.queue_veh == pytest.approx(queue)
    assert lanes.speed_mps == pytest.approx(speed)
    assert lanes.waiting_s == pytest.approx(waiting)
    assert lanes.delayed_veh == pytest.approx(vehicles * np.clip(1 - speed / LIMIT_MPS, 0, 1))


def test_every_second_counts_when_every_second_is_read() -> None:
    with cases.session(cases.scenario(200)) as session:
        reader = StateReader(session, NETWORK, sample_s=1.0)
        reader.read(PHASE, AGE_S)
        for steps in (30, 1, 29):
            state, rows, counts = drive(session, reader, steps=steps)
            arrived, running, backlog = np.array(counts).T
            assert state.interval_s == steps
            assert state.time_s == libsumo.simulation.getTime()
            check_lanes(state.mean, np.mean(rows, axis=0))
            check_lanes(state.now, rows[-1])
            assert state.arrived_veh == arrived.sum()
            assert state.mean_backlog_veh == pytest.approx(backlog.mean())
            assert state.totals.running_veh == running[-1]
            assert state.totals.backlog_veh == backlog[-1]
        assert state.mean.queue_veh.sum() > 5
        assert state.mean_backlog_veh > 1


@pytest.mark.parametrize(
    ("steps", "sampled"),
    [
        (10, {5: 5, 10: 5}),
        (12, {5: 5, 10: 5, 12: 2}),
        (3, {3: 3}),
        (5, {5: 5}),
    ],
)
def test_a_reading_stands_for_the_steps_since_the_one_before(
    steps: int, sampled: dict[int, int]
) -> None:
    with cases.session(cases.scenario(200)) as session:
        reader = StateReader(session, NETWORK, sample_s=5.0)
        drive(session, reader, steps=40)
        state, rows, counts = drive(session, reader, steps=steps)
    expected = sum(weight * rows[step - 1] for step, weight in sampled.items()) / steps
    check_lanes(state.mean, np.asarray(expected))
    check_lanes(state.now, rows[-1])
    assert state.mean_backlog_veh == pytest.approx(np.mean([backlog for _, _, backlog in counts]))


def test_half_second_steps_are_sampled_by_the_clock() -> None:
    with cases.session(cases.scenario(200), step_s=0.5) as session:
        reader = StateReader(session, NETWORK, sample_s=2.0)
        drive(session, reader, steps=60)
        state, rows, _ = drive(session, reader, steps=10)
    assert (state.interval_s, state.time_s) == (5.0, 35.0)
    expected = (4 * rows[3] + 4 * rows[7] + 2 * rows[9]) / 10
    check_lanes(state.mean, expected)


def test_the_first_state_is_an_empty_network() -> None:
    with cases.session(cases.scenario()) as session:
        state = StateReader(session, NETWORK, sample_s=5.0).read(PHASE, AGE_S)
    assert (state.time_s, state.interval_s, state.arrived_veh) == (0, 0, 0)
    assert (state.totals.running_veh, state.totals.backlog_veh, state.mean_backlog_veh) == (0, 0, 0)
    for lanes in (state.now, state.mean):
        check_lanes(lanes, np.zeros((4, len(LIMIT_MPS))))
    assert np.array_equal(state.mean.speed_mps, LIMIT_MPS)


def test_an_empty_network_flows_freely(tmp_path: Path) -> None:
    with cases.session(cases.without_vehicles(tmp_path)) as session:
        reader = StateReader(session, NETWORK, sample_s=5.0)
        state, _, _ = drive(session, reader, steps=20)
    assert np.array_equal(state.mean.speed_mps, LIMIT_MPS)
    assert state.mean.delayed_veh.sum() == state.mean.vehicles_veh.sum() == 0


def test_arrivals_add_up_to_what_sumo_reports(tmp_path: Path) -> None:
    scenario = cases.scenario(60, 400.0)
    with cases.session(scenario, output_dir=tmp_path) as session:
        reader = StateReader(session, NETWORK, sample_s=5.0)
        states = [drive(session, reader, steps=25)[0] for _ in range(16)]
    arrived = sum(float(t["arrival"]) >= 0 for t in cases.trips_of(tmp_path / "tripinfo.xml"))
    assert sum(state.arrived_veh for state in states) == arrived
    assert states[-1].totals.arrived_veh == arrived
    assert arrived > 10
    assert arrived + states[-1].totals.running_veh == scenario.num_scheduled


def test_phases_are_copied_into_the_state() -> None:
    phase, age_s = PHASE.copy(), AGE_S.copy()
    with cases.session(cases.scenario()) as session:
        state = StateReader(session, NETWORK, sample_s=5.0).read(phase, age_s)
    phase[:] = 0
    age_s[:] = 0
    assert np.array_equal(state.phase, PHASE)
    assert np.array_equal(state.phase_age_s, AGE_S)
