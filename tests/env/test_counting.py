"""Vehicles in cells before the stop lines, as SUMO's detectors count them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import traffic_cases as cases
from shared_cases import SEEN

from trafficrl.config.execution import Simulator
from trafficrl.control.commands import FollowPlan
from trafficrl.control.learned import LearnedController
from trafficrl.env.episodes import Episode, TrainingEpisodes
from trafficrl.env.simulate import RunningEpisode, start_episode
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError

CITY = cases.city()
TASK = cases.task(
    scenarios={"many": cases.scenario_config(num_vehicles=300)}, observation=SEEN, end_s=240.0
)
CELLS_M = frozenset({30.0, 70.0})
STOP_LANES = {
    CITY.lane_index[name]
    for signal in CITY.signals
    for link in signal.incoming_lanes
    for name in link
}


def episode(task: Task = TASK) -> Episode:
    return TrainingEpisodes(task.scenarios, seed=3, slot=0, slots=1).episode(0)


def begun(folder: Path, cells_m: frozenset[float] = frozenset(), **more: object) -> RunningEpisode:
    return start_episode(TASK, episode(), folder, cells_m=cells_m, **more)  # type: ignore[arg-type]


def positions(running: RunningEpisode) -> dict[int, list[tuple[float, float]]]:
    """Lane -> front and back of each vehicle on it [m]."""
    import libsumo

    found: dict[int, list[tuple[float, float]]] = {}
    for name in libsumo.vehicle.getIDList():
        lane = CITY.lane_index.get(libsumo.vehicle.getLaneID(name))
        if lane is not None:
            front_m = libsumo.vehicle.getLanePosition(name)
            back_m = front_m - libsumo.vehicle.getLength(name)
            found.setdefault(lane, []).append((front_m, back_m))
    return found


def test_they_count_who_is_there(tmp_path: Path) -> None:
    running, counted = begun(tmp_path, CELLS_M), 0
    try:
        state = running.driver.start()
        while not running.driver.finished:
            state = running.driver.advance(FollowPlan(7.0))
            there = positions(running)
            for cell_m in CELLS_M:
                table = state.cells_veh[cell_m]
                assert table.shape == (2, len(CITY.lanes))
                counted += int(table.sum())
                for lane in STOP_LANES:
                    check_cells(table[:, lane], there.get(lane, []), lane, cell_m)
    finally:
        running.close()
    assert counted > 1000


def check_cells(
    found: np.ndarray, there: list[tuple[float, float]], lane: int, cell_m: float
) -> None:
    """At least those whose front is in the cell; at most those of whom a part is, and the tail of
    one that has just left the lane."""
    length_m = CITY.lanes[lane].length_m
    for cell, count in enumerate(found.tolist()):
        begin_m, end_m = length_m - (cell + 1) * cell_m, length_m - cell * cell_m
        fronts = sum(begin_m + 0.1 < front_m < end_m - 0.1 for front_m, _ in there)
        parts = sum(front_m > begin_m - 0.1 and back_m < end_m + 0.1 for front_m, back_m in there)
        assert fronts <= count <= parts + 1


def test_nobody_drives_otherwise_for_being_counted(tmp_path: Path) -> None:
    trips = []
    for name, cells_m in (("blind", frozenset[float]()), ("seeing", CELLS_M)):
        folder = tmp_path / name
        folder.mkdir()
        running = begun(folder, cells_m, output_dir=folder)
        try:
            running.driver.start()
            running.driver.advance(FollowPlan(240.0))
        finally:
            running.close()
        trips.append(cases.trips_of(folder / "tripinfo.xml"))
    assert trips[0] == trips[1]
    assert len(trips[0]) > 100
    assert not list(tmp_path.rglob("NUL"))


def test_a_policy_is_given_the_cells_that_it_sees(tmp_path: Path) -> None:
    seeing = LearnedController(lambda s: s, lambda r: r, lambda a: a, cells_m=frozenset({25.0}))  # type: ignore[arg-type,return-value]
    running = begun(tmp_path, frozenset({70.0}), controller=seeing)
    try:
        assert running.driver.start().cells_veh.keys() == {25.0, 70.0}
    finally:
        running.close()
    running = begun(tmp_path)
    try:
        assert not running.driver.start().cells_veh
        assert "detectors" not in running.session.command
    finally:
        running.close()


def test_the_environment_sees_them_near_and_next() -> None:
    seen = replace(SEEN, phase_features=["phase_near", "phase_next", "phase_vehicles"], cell_m=30.0)
    env = TrafficSignalEnv(replace(TASK, observation=seen), seed=1)
    try:
        env.reset()
        rows = np.stack([env.step(env.action_space.sample())[0] for _ in range(12)])
    finally:
        env.close()
    places = 2 * seen.max_phases
    near, following = rows[..., places::3], rows[..., places + 1 :: 3]
    assert near[..., : seen.max_phases].max() > 0.1
    assert following[..., : seen.max_phases].max() > 0.1


def test_the_mesoscopic_model_has_no_places(tmp_path: Path) -> None:
    task = replace(TASK, simulator=Simulator.meso)
    with pytest.raises(ConfigError, match=r"phase_near and phase_next do not go with .*=meso"):
        start_episode(task, episode(task), tmp_path, cells_m=CELLS_M)
    assert not list(tmp_path.iterdir())
