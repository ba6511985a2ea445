"""What we report of an episode, against SUMO's own account of it, made by the bare program."""

import re
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sumo
from traffic_cases import city, scenario_config, task, trips_of

from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.control.commands import FollowPlan
from trafficrl.demand.build import build_scenario
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.errors import SimulationError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.metrics import episode_metrics
from trafficrl.evaluation.outcome import Measure, Outcome
from trafficrl.evaluation.slices import build_slices
from trafficrl.evaluation.trips import read_trips
from trafficrl.runs.seeding import Split
from trafficrl.simulation.options import SimulationOptions, sumo_arguments


def judged_task(num_vehicles: int = 30, *, routing: str = "shortest 100", **changes: Any) -> Task:
    config = scenario_config(num_vehicles=num_vehicles, routing_strategy=routing)
    return task(**({"scenarios": {"morning": config}, "end_s": 120.0} | changes))


# Jammed for so long that SUMO teleports vehicles (after 300 s).
GRIDLOCK = judged_task(900, end_s=500.0)
CALM, JAMMED = judged_task(), judged_task(700)
TASKS = {
    "calm": CALM,
    "jammed": JAMMED,
    "gridlock": GRIDLOCK,
    "realtime": judged_task(routing="realtime 100"),
    "long steps": judged_task(step_s=5.0),
    "short steps": judged_task(step_s=0.5),
}


@dataclass
class Account:
    """SUMO's own numbers."""

    trips: list[dict[str, str]]
    vehicles: dict[str, float]
    statistics: dict[str, float]
    teleports: float
    safety: dict[str, float]


def bare_sumo(task: Task, episode: Episode, folder: Path, **more: str) -> Account:
    """The same files in a `sumo` that nobody controls, to the end, with more options."""
    scenario = build_scenario(
        episode.scenario,
        task.scenarios[episode.scenario],
        task.network,
        seeds=episode.demand,
        end_s=task.end_s,
        folder=folder,
    )
    options = SimulationOptions(
        step_s=task.step_s,
        seed=episode.sumo_seed,
        simulation=task.simulation,
        output_dir=folder,
    )
    program = Path(sumo.SUMO_HOME) / "bin" / "sumo"
    arguments = sumo_arguments(scenario, options)
    for name, value in more.items():
        arguments += [f"--{name.replace('_', '-')}", value]
    subprocess.run([program, *arguments], check=True, capture_output=True)
    # SUMO wrote the file a moment ago.
    statistics = ElementTree.parse(folder / "statistics.xml").getroot()  # noqa: S314

    def numbers(tag: str) -> dict[str, float]:
        (found,) = statistics.iter(tag)
        return {name: float(value) for name, value in found.items()}

    return Account(
        trips=trips_of(folder / "tripinfo.xml"),
        vehicles=numbers("vehicles"),
        statistics=numbers("vehicleTripStatistics"),
        teleports=numbers("teleports")["total"],
        safety=numbers("safety"),
    )


MEASURE = Measure(emissions=True, slice_s=45.0)


def judge(task: Task, folder: Path) -> tuple[Outcome, Account]:
    episode = Episode.of_split("morning", Split.test, 3)
    outcome = run_episode(task, episode, build_controller("fixed", task), folder, MEASURE)
    assert list(folder.iterdir()) == [], "an episode leaves nothing"
    return outcome, bare_sumo(task, episode, folder)


@pytest.mark.parametrize("name", TASKS)
def test_every_total_is_the_one_of_sumos_statistics(name: str, tmp_path: Path) -> None:
    """Ours with the emission model, SUMO's without: it changes nothing about the traffic."""
    outcome, account = judge(TASKS[name], tmp_path)
    metrics, vehicles, statistics = outcome.metrics, account.vehicles, account.statistics
    inserted, scheduled = vehicles["inserted"], metrics.scheduled
    assert vehicles["loaded"] == scheduled
    assert metrics.arrived == inserted - vehicles["running"]
    assert metrics.arrived == sum(float(trip["arrival"]) >= 0 for trip in account.trips)
    # SUMO's means are over the vehicles that it let in; ours over all that were due, and those
    # that were not let in have no part in what only happens in the network.
    share = inserted / scheduled
    assert statistics["count"] == inserted
    assert metrics.distance_m == pytest.approx(statistics["routeLength"] * share, abs=0.02)
    delay_s = statistics["totalDepartDelay"] / scheduled
    assert metrics.depart_delay_s == pytest.approx(delay_s, abs=0.02)
    standing_s = metrics.waiting_time_s - metrics.depart_delay_s
    assert standing_s == pytest.approx(statistics["waitingTime"] * share, abs=0.02)
    waited_s = statistics["departDelay"] * inserted
    waited_s += max(statistics["departDelayWaiting"], 0) * vehicles["waiting"]
    assert waited_s == pytest.approx(statistics["totalDepartDelay"], abs=0.02 * scheduled)
    loss_s = statistics["timeLoss"] * share + delay_s
    assert metrics.delay_s == pytest.approx(loss_s, abs=0.02)
    travel_s = statistics["totalTravelTime"] / scheduled + delay_s
    assert metrics.travel_time_s == pytest.approx(travel_s, abs=0.02)
    assert statistics["duration"] * share + delay_s == pytest.approx(travel_s, abs=0.02)
    assert metrics.throughput_vph == pytest.approx(metrics.arrived * 3600 / TASKS[name].end_s)
    assert metrics.teleports == account.teleports
    assert metrics.teleports > 0 or name != "gridlock"
    assert metrics.collisions == account.safety["collisions"]
    assert metrics.emergency_brakings == account.safety["emergencyBraking"]


@pytest.mark.parametrize("name", ["calm", "jammed"])
def test_what_no_statistic_has_is_the_mean_of_sumos_trips(name: str, tmp_path: Path) -> None:
    outcome, account = judge(TASKS[name], tmp_path)
    arrived = [float(trip["duration"]) for trip in account.trips if float(trip["arrival"]) >= 0]
    stops = [float(trip["waitingCount"]) for trip in account.trips]
    assert outcome.metrics.arrived_duration_s == pytest.approx(sum(arrived) / len(arrived))
    assert outcome.metrics.stops_per_veh == pytest.approx(sum(stops) / len(account.trips))
    assert outcome.metrics.stops_per_veh > 0.5


def test_emissions_are_what_the_vehicles_emit_second_by_second(tmp_path: Path) -> None:
    outcome, _ = judge(CALM, tmp_path)
    file = tmp_path / "emissions.xml"
    bare_sumo(CALM, Episode.of_split("morning", Split.test, 3), tmp_path, emission_output=str(file))
    vehicles = list(ElementTree.parse(file).getroot().iter("vehicle"))  # noqa: S314 - SUMO's own
    for name, found_g in (("CO2", outcome.metrics.co2_g), ("fuel", outcome.metrics.fuel_g)):
        emitted_mg = sum(float(vehicle.attrib[name]) for vehicle in vehicles)
        assert found_g is not None
        assert found_g * outcome.metrics.scheduled == pytest.approx(
            emitted_mg / 1000,
            rel=0.03,  # the first and last second of a lane count differently
        )
        assert emitted_mg > 0


def test_every_trip_arrives_in_the_second_that_it_would_without_us(tmp_path: Path) -> None:
    task, episode = TASKS["realtime"], Episode.of_split("morning", Split.test, 5)
    for name in ("ours", "bare"):
        (tmp_path / name).mkdir()
    running = start_episode(task, episode, tmp_path / "ours", output_dir=tmp_path / "ours")
    while not running.driver.finished:
        running.driver.advance(FollowPlan(10.0))
    running.close()
    bare = bare_sumo(task, episode, tmp_path / "bare").trips
    assert trips_of(tmp_path / "ours" / "tripinfo.xml") == bare
    assert len({trip["arrival"] for trip in bare}) > 5


def test_a_trip_due_in_the_last_second_counts(tmp_path: Path) -> None:
    outcome, account = judge(judged_task(240), tmp_path)
    text = next(tmp_path.glob("*.rou.xml")).read_text()
    departs_s = [float(depart) for depart in re.findall(r' depart="([^"]+)"', text)]
    assert max(departs_s) == 119.0  # of 120
    assert len(departs_s) == len(account.trips) == outcome.metrics.scheduled == 240


def test_vehicles_that_cannot_enter_are_delay_and_not_hidden(tmp_path: Path) -> None:
    outcome, account = judge(JAMMED, tmp_path)
    outside = [trip for trip in account.trips if trip["depart"] == "-1"]
    inside = [trip for trip in account.trips if trip["depart"] != "-1"]
    assert len(outside) > 100
    waited_s = sum(float(trip["departDelay"]) for trip in outside)
    lost_s = sum(float(trip["departDelay"]) + float(trip["timeLoss"]) for trip in inside)
    assert waited_s > 5000
    assert outcome.metrics.delay_s == pytest.approx((waited_s + lost_s) / 700)


def test_only_who_is_due_before_the_end_counts(tmp_path: Path) -> None:
    """SUMO lists some who are due later as well, for it reads ahead."""
    edge = city().streets[0].tail
    times = (0, 60, 119, 119.5, 120, 121, 300)
    trips = "".join(f'<trip id="{t}" depart="{t}" from="{edge}" to="{edge}"/>' for t in times)
    file = tmp_path / "given.rou.xml"
    file.write_text(f"<routes>{trips}</routes>")
    scenario = RouteFileScenarioConfig(file=str(file))
    judged = task(scenarios={"given": scenario}, end_s=120.0)
    (tmp_path / "work").mkdir()
    episode = Episode.of_split("given", Split.test, 0)
    outcome = run_episode(
        judged, episode, build_controller("fixed", judged), tmp_path / "work", MEASURE
    )
    assert outcome.metrics.scheduled == 4


def trips(*rows: str) -> str:
    return "<tripinfos>" + "".join(rows) + "</tripinfos>"


TRIP = (
    '<tripinfo id="x" depart="3" departDelay="1" arrival="9" duration="6" timeLoss="1" '
    'waitingTime="1" waitingCount="1" routeLength="50" vType="car" vaporized="">'
    '<emissions CO2_abs="1" fuel_abs="1"/></tripinfo>'
)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "no XML",
        trips(TRIP)[:-20],
        trips(TRIP.replace("timeLoss", "loss")),
        trips(TRIP.replace('"9"', '"late"')),
        trips(TRIP.replace("emissions", "others")),
        trips(TRIP.replace("CO2_abs", "CO2")),
    ],
    ids=["missing", "empty", "no XML", "cut", "no loss", "no number", "no emissions", "no CO2"],
)
def test_damaged_trips_are_refused_in_one_line(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "tripinfo.xml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SimulationError) as error:
        read_trips(file, emissions=True, closed_s=10.0, end_s=10.0)
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("reason", ["collision", "calibrator"])
def test_who_is_taken_out_of_the_traffic_has_not_arrived(reason: str, tmp_path: Path) -> None:
    file = tmp_path / "tripinfo.xml"
    file.write_text(trips(TRIP.replace('vaporized=""', f'vaporized="{reason}"'), TRIP))
    read = read_trips(file, emissions=True, closed_s=20.0, end_s=20.0)
    assert read.arrived.tolist() == [False, True]
    assert read.delay_s.tolist() == [1 + 1 + 11, 1 + 1]  # nobody drove on from 9 s to 20 s
    assert read.waiting_s.tolist() == [1 + 1 + 11, 1 + 1]
    assert read.travel_time_s.tolist() == [18, 7]


def test_who_is_removed_after_a_collision_has_not_arrived(tmp_path: Path) -> None:
    """SUMO lists those it removes among the arrived."""
    colliding = {"collision.action": "remove", "collision.mingap-factor": 2}
    removing = replace(CALM, simulation=SimulationConfig(options=colliding))
    outcome, account = judge(removing, tmp_path)
    gone = sum(trip["vaporized"] == "collision" for trip in account.trips)
    listed = sum(float(trip["arrival"]) >= 0 for trip in account.trips)
    assert gone > 5
    assert outcome.metrics.arrived == listed - gone


def test_other_trips_than_were_scheduled_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tripinfo.xml"
    file.write_text(trips(TRIP))
    read = read_trips(file, emissions=False, closed_s=10.0, end_s=10.0)
    running = start_episode(CALM, Episode.of_split("morning", Split.test, 3), tmp_path)
    state = running.driver.start()
    running.close()
    with pytest.raises(SimulationError, match="SUMO listed 1 trips, but 2 were scheduled"):
        episode_metrics(read, [state], scheduled=2, begin_s=0, end_s=10)


@pytest.mark.slow  # a time, which a busy machine does not keep
def test_the_trips_of_a_long_episode_are_read_in_less_than_a_second(tmp_path: Path) -> None:
    file = tmp_path / "tripinfo.xml"
    file.write_text(trips(*[TRIP] * 25_000))
    start = time.process_time()
    read = read_trips(file, emissions=True, closed_s=10.0, end_s=10.0)
    assert len(build_slices(read, begin_s=0.0, slice_s=1.0)) == 4
    assert time.process_time() - start < 1.0
    assert len(read) == 25_000
