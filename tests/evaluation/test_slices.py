"""Metrics by vehicle type and by scheduled departure, against SUMO's own trips."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from traffic_cases import scenario_config, task, trips_of

from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import Measure, Outcome
from trafficrl.evaluation.slices import ALL, TripMeans, build_slices, pool_slices
from trafficrl.evaluation.trips import read_trips
from trafficrl.runs.seeding import Split

MIXED = task(
    scenarios={
        "morning": scenario_config(
            num_vehicles=400,
            vehicle_types="passenger 80 public 20",
            routing_strategy="shortest 50 realtime 50",
        )
    },
    end_s=120.0,
)
EPISODE = Episode.of_split("morning", Split.test, 2)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("judged")
    measure = Measure(emissions=True, slice_s=45.0)
    return run_episode(MIXED, EPISODE, build_controller("fixed", MIXED), folder, measure)


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """SUMO's account, each vehicle with when it was due by the route file."""
    folder = tmp_path_factory.mktemp("trips")
    fixed = build_controller("fixed", MIXED)
    running = start_episode(MIXED, EPISODE, folder, controller=fixed, output_dir=folder)
    due = {
        trip["id"]: trip["depart"]
        for file in running.scenario.route_files
        for trip in trips_of(file)
        if "depart" in trip
    }
    state = running.driver.start()
    while not running.driver.finished:
        state = running.driver.advance(fixed.decide(state))
    running.close()
    return [trip | {"due": due[trip["id"]]} for trip in trips_of(folder / "tripinfo.xml")]


def number(trip: dict[str, str], *names: str) -> float:
    return sum(float(trip[name]) for name in names)


def test_each_slice_is_of_the_vehicles_of_its_type_and_time(
    judged: Outcome, trips: list[dict[str, str]]
) -> None:
    kinds = {ALL, "passenger", "passenger_realtime", "public"}
    times = {None, 0.0, 45.0, 90.0}
    found = {(one.vehicle_type, one.slice_begin_s): one for one in judged.slices}
    assert set(found) == {(kind, begin_s) for kind in kinds for begin_s in times}
    for (kind, begin_s), one in found.items():
        own = [
            trip
            for trip in trips
            if kind in (ALL, trip["vType"])
            and (begin_s is None or begin_s <= float(trip["due"]) < begin_s + 45)
        ]
        count = len(own)
        assert count == one.scheduled > 0
        assert one.arrived == sum(float(trip["arrival"]) >= 0 for trip in own)
        for value, names in (
            (one.delay_s, ("timeLoss", "departDelay")),
            (one.travel_time_s, ("duration", "departDelay")),
            (one.waiting_time_s, ("waitingTime", "departDelay")),
            (one.depart_delay_s, ("departDelay",)),
            (one.stops_per_veh, ("waitingCount",)),
        ):
            expected = sum(number(trip, *names) for trip in own) / count
            assert value == pytest.approx(expected), (kind, begin_s, names)
    assert any(trip["depart"] == "-1" for trip in trips), "somebody never departed"


def test_all_at_any_time_is_the_whole_episode(judged: Outcome) -> None:
    whole, metrics = judged.slices[0], asdict(judged.metrics)
    assert (whole.vehicle_type, whole.slice_begin_s) == (ALL, None)
    same = {name: value for name, value in asdict(whole).items() if name in metrics}
    assert same == {name: metrics[name] for name in same}
    assert len(same) == len(TripMeans.__dataclass_fields__) + 2
    assert metrics["co2_g"] > 0


def test_slices_of_two_episodes_weigh_each_vehicle_the_same(judged: Outcome) -> None:
    whole = judged.slices[0]
    parts: list[Any] = [one for one in judged.slices if one.slice_begin_s is None][1:]
    renamed = [type(whole)(**asdict(one) | {"vehicle_type": ALL}) for one in parts]
    assert len(renamed) == 3
    (pooled,) = pool_slices(renamed)
    assert asdict(pooled) == pytest.approx(asdict(whole))
    assert pool_slices(judged.slices * 2)[0].scheduled == 800


def test_an_episode_without_vehicles_has_no_slices(tmp_path: Path) -> None:
    (tmp_path / "tripinfo.xml").write_text("<tripinfos/>")
    for emissions in (True, False):
        none = read_trips(tmp_path / "tripinfo.xml", emissions=emissions, closed_s=60.0, end_s=60.0)
        assert len(none) == 0
        assert build_slices(none, begin_s=0.0, slice_s=900.0) == ()
