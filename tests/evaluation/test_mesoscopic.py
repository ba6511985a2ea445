"""Controllers judged in SUMO's mesoscopic model."""

from pathlib import Path

import pytest
import traffic_cases as cases
from learning_cases import small_task

from trafficrl.config.execution import Backend, Simulator
from trafficrl.control.commands import FollowPlan
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.errors import ConfigError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import free_times, run_episode
from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import Measure
from trafficrl.evaluation.trips import read_trips
from trafficrl.runs.seeding import Split

SCENARIO = cases.scenario_config(
    num_vehicles=300, vehicle_types="passenger 90 public 10", routing_strategy="realtime 100"
)
TASK = small_task(scenarios={"busy": SCENARIO}, end_s=600.0, simulator=Simulator.meso)
EPISODE = Episode.of_split("busy", Split.test, 0)


def judge(name: str, folder: Path, **measure: bool) -> EpisodeMetrics:
    controller = build_controller(name, TASK)
    return run_episode(TASK, EPISODE, controller, folder, Measure(**measure)).metrics


def test_signals_that_mind_the_traffic_are_better_than_those_that_do_not(tmp_path: Path) -> None:
    fixed, actuated, pressure = (
        judge(name, tmp_path) for name in ("fixed", "actuated", "max_pressure")
    )
    assert pressure.delay_s < 0.9 * fixed.delay_s
    assert actuated.delay_s < 0.9 * fixed.delay_s, "its detectors see vehicles here"
    assert pressure.arrived > fixed.arrived


def test_the_emission_model_is_there_and_changes_nothing_about_the_traffic(tmp_path: Path) -> None:
    with_it, without = judge("fixed", tmp_path, emissions=True), judge("fixed", tmp_path)
    assert with_it.co2_g is not None
    assert 50.0 < with_it.co2_g < 2000.0
    assert (with_it.delay_s, with_it.arrived) == (without.delay_s, without.arrived)


@pytest.mark.parametrize("backend", list(Backend))
def test_who_is_held_to_the_end_has_lost_that_time(backend: Backend, tmp_path: Path) -> None:
    """Time in the network is driving at the limit, stops, and time lost, for each vehicle."""
    task = small_task(
        scenarios={"busy": SCENARIO}, end_s=300.0, simulator=Simulator.meso, backend=backend
    )
    fixed = build_controller("fixed", task)
    running = start_episode(task, EPISODE, tmp_path, controller=fixed, output_dir=tmp_path)
    try:
        running.driver.start()
        end_s = running.driver.advance(FollowPlan(300.0)).time_s
        free_s = free_times(running.session, task)
    finally:
        running.close()
    told = cases.trips_of(tmp_path / "tripinfo.xml")
    trips = read_trips(
        tmp_path / "tripinfo.xml", emissions=False, closed_s=end_s, end_s=end_s, free_s=free_s
    )
    on_its_way = [trip["id"] in free_s for trip in told]
    assert sum(on_its_way) > 50
    for trip, there, loss_s in zip(told, on_its_way, trips.time_loss_s, strict=True):
        if there:
            moving_s = float(trip["duration"]) - float(trip["stopTime"])
            assert loss_s >= moving_s - free_s[trip["id"]]
        assert loss_s >= float(trip["timeLoss"])
    told_s = sum(float(trip["timeLoss"]) for trip in told)
    assert trips.time_loss_s.sum() > 1.1 * told_s, "SUMO tells less of those that are held"
    assert trips.standing_s.tolist() == trips.time_loss_s.tolist()


def test_a_controller_whose_detectors_see_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"delay_based \(delay_based\) needs .*simulator=micro"):
        build_controller("delay_based", TASK)
