"""What we report of an episode, against SUMO's own account of it, made by the bare program."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sumo
from traffic_cases import scenario_config, task, trips_of

from trafficrl.control.commands import FollowPlan
from trafficrl.demand.build import build_scenario
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.errors import SimulationError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.metrics import EpisodeMetrics, episode_metrics
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


def bare_sumo(task: Task, episode: Episode, folder: Path) -> Account:
    """The same files in a `sumo` that nobody controls, to the end."""
    scenario = build_scenario(
        episode.scenario,
        task.scenarios[episode.scenario],
        task.network,
        seeds=episode.demand,
        end_s=task.end_s,
        folder=folder,
    )
    options = SimulationOptions(step_s=task.step_s, seed=episode.sumo_seed, output_dir=folder)
    program = Path(sumo.SUMO_HOME) / "bin" / "sumo"
    subprocess.run([program, *sumo_arguments(scenario, options)], check=True, capture_output=True)
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


def judge(task: Task, folder: Path) -> tuple[EpisodeMetrics, Account]:
    episode = Episode.of_split("morning", Split.test, 3)
    metrics, _ = run_episode(task, episode, build_controller("fixed", task), folder)
    assert list(folder.iterdir()) == [], "an episode leaves nothing"
    return metrics, bare_sumo(task, episode, folder)


@pytest.mark.parametrize("name", TASKS)
def test_fixed_time_through_our_driver_is_what_bare_sumo_does(name: str, tmp_path: Path) -> None:
    metrics, account = judge(TASKS[name], tmp_path)
    inserted, statistics = account.vehicles["inserted"], account.statistics
    scheduled = metrics.scheduled
    arrived = [trip for trip in account.trips if float(trip["arrival"]) >= 0]
    assert account.vehicles["loaded"] == scheduled
    assert metrics.arrived == len(arrived)
    # SUMO rounds its means to 0.01 and takes them over the vehicles that it let in
    loss_s = statistics["timeLoss"] * inserted + statistics["totalDepartDelay"]
    duration_s = statistics["duration"] * inserted + statistics["totalDepartDelay"]
    assert metrics.delay_s == pytest.approx(loss_s / scheduled, abs=0.02)
    assert metrics.travel_time_s == pytest.approx(duration_s / scheduled, abs=0.02)
    waiting_s = statistics["waitingTime"] * inserted / scheduled
    assert metrics.waiting_time_s == pytest.approx(waiting_s, abs=0.02)
    assert metrics.throughput_vph == pytest.approx(len(arrived) * 3600 / TASKS[name].end_s)
    assert metrics.teleports == account.teleports
    assert metrics.teleports > 0 or name != "gridlock"
    assert metrics.collisions == account.safety["collisions"]
    assert metrics.emergency_brakings == account.safety["emergencyBraking"]
    if arrived:
        mean_s = sum(float(trip["duration"]) for trip in arrived) / len(arrived)
        assert metrics.arrived_duration_s == pytest.approx(mean_s)


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
    metrics, account = judge(judged_task(240), tmp_path)
    text = next(tmp_path.glob("*.rou.xml")).read_text()
    departs_s = [float(depart) for depart in re.findall(r' depart="([^"]+)"', text)]
    assert max(departs_s) == 119.0  # of 120
    assert len(departs_s) == len(account.trips) == metrics.scheduled == 240


def test_vehicles_that_cannot_enter_are_delay_and_not_hidden(tmp_path: Path) -> None:
    metrics, account = judge(JAMMED, tmp_path)
    outside = [trip for trip in account.trips if trip["depart"] == "-1"]
    inside = [trip for trip in account.trips if trip["depart"] != "-1"]
    assert len(outside) > 100
    waited_s = sum(float(trip["departDelay"]) for trip in outside)
    lost_s = sum(float(trip["departDelay"]) + float(trip["timeLoss"]) for trip in inside)
    assert waited_s > 5000
    assert metrics.delay_s == pytest.approx((waited_s + lost_s) / 700)


def trips(*rows: str) -> str:
    return "<tripinfos>" + "".join(rows) + "</tripinfos>"


def trip(arrival: float, duration: float, loss: float, waiting: float, delay: float) -> str:
    return (
        f'<tripinfo id="x" arrival="{arrival}" duration="{duration}" timeLoss="{loss}" '
        f'waitingTime="{waiting}" departDelay="{delay}"/>'
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "no XML",
        trips(trip(9, 9, 1, 1, 0))[:-20],
        trips(trip(9, 9, 1, 1, 0)),
        trips(trip(9, 9, 1, 1, 0).replace("timeLoss", "loss"), trip(9, 9, 1, 1, 0)),
        trips(trip(9, 9, 1, 1, 0).replace('"9"', '"late"'), trip(9, 9, 1, 1, 0)),
    ],
    ids=["missing", "empty", "no XML", "cut", "one too few", "no time loss", "no number"],
)
def test_damaged_trips_are_refused_in_one_line(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "tripinfo.xml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SimulationError) as error:
        episode_metrics(file, [], scheduled=2, begin_s=0, end_s=10)
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)
