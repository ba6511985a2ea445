"""No metric that ranks can be gained by keeping vehicles where they are, or out of the network."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from learning_cases import small_task
from traffic_cases import city, scenario_config

from trafficrl.config.execution import Simulator
from trafficrl.config.scenarios import RouteFileScenarioConfig, ScenarioConfig
from trafficrl.control.controller import Controller
from trafficrl.control.plans import PlanFollower
from trafficrl.demand.scenario import Scenario
from trafficrl.env.episodes import Episode
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.outcome import EpisodeResult, Measure
from trafficrl.evaluation.results import Comparison
from trafficrl.network.netxml import ProgramPhase
from trafficrl.network.programs import SignalProgram
from trafficrl.runs.seeding import Split

ORIGINS, DESTINATION = (1, 5, 13, 18), 20
"""Streets: few vehicles fit where they begin, and all of them want to the same place."""


def all_red(scenario: Scenario) -> Sequence[SignalProgram]:
    """Red for a day; the greens after it are for the driver, which refuses a plan without them."""
    return [
        SignalProgram(
            signal.id,
            "static",
            (
                ProgramPhase("all red", "r" * len(signal.phases[0].state), 86_400.0),
                *(ProgramPhase(phase.name, phase.state, 10.0) for phase in signal.phases),
            ),
        )
        for signal in city().signals
    ]


def to_one_place(folder: Path) -> ScenarioConfig:
    """A vehicle a second: held at red, most of them stay out of a network that stays empty."""
    tails = [street.tail for street in city().streets]
    file = folder / "to_one_place.rou.xml"
    trips = "".join(
        f'<trip id="{second}" depart="{second}" from="{tails[ORIGINS[second % 4]]}" '
        f'to="{tails[DESTINATION]}" departLane="best"/>'
        for second in range(600)
    )
    file.write_text(f"<routes>{trips}</routes>")
    return RouteFileScenarioConfig(file=str(file))


@pytest.fixture(
    scope="module",
    params=[
        ("everywhere", Simulator.micro),
        ("to one place", Simulator.micro),
        ("everywhere", Simulator.meso),
    ],
    ids=str,
)
def comparison(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Comparison:
    folder = tmp_path_factory.mktemp("red")
    demand = scenario_config(num_vehicles=300)
    where, simulator = request.param
    scenario = demand if where == "everywhere" else to_one_place(folder)
    task = small_task(scenarios={"busy": scenario}, end_s=600.0, simulator=simulator)
    controllers: dict[str, Controller] = {
        name: build_controller(name, task) for name in ("fixed", "random", "max_pressure")
    }
    controllers["all red"] = PlanFollower(all_red, interval_s=10.0)
    results = []
    for name, controller in controllers.items():
        for seed in range(2):
            episode = Episode.of_split("busy", Split.test, seed)
            found = run_episode(task, episode, controller, folder, Measure())
            own = (found.metrics, found.reward, found.slices, found.edge_queue_veh)
            results.append(EpisodeResult(name, "busy", seed, episode.sumo_seed, *own))
    return Comparison(results, confidence=0.95)


def test_holding_everything_red_is_last_on_every_headline_column(comparison: Comparison) -> None:
    assert comparison.completion_differs
    ranking = [
        name
        for name, metric in METRICS.items()
        if not metric.needs_completion and name != "scheduled"  # the same for all
    ]
    assert {"delay_s", "waiting_time_s", "depart_delay_s", "queue_veh", "arrived"} <= {*ranking}
    for metric in ranking:
        worst = max if METRICS[metric].better == "lower" else min
        means = {name: comparison.mean(name, metric) for name in comparison.controllers}
        assert [name for name in means if means[name] == worst(means.values())] == ["all red"]
    assert comparison.by_delay[-1] == "all red"
    assert comparison.num_diverged("all red") == comparison.num_episodes("all red")
    for name in comparison.controllers:
        own = [result for result in comparison.results if result.controller == name]
        alone = Comparison(own, confidence=0.95)
        assert alone.num_diverged(name) == (alone.num_episodes(name) if name == "all red" else 0)


def test_an_episode_that_is_too_short_to_arrive_in_is_no_gridlock(tmp_path: Path) -> None:
    """Trips take as long as it does: who has a red more on the way has far fewer arrivals."""
    results = []
    for number, seconds in ((12, 60.0), (60, 120.0), (150, 300.0)):
        task = small_task(scenarios={"light": scenario_config(num_vehicles=number)}, end_s=seconds)
        episode = Episode.of_split("light", Split.test, 0)
        for name in ("fixed", "random", "max_pressure"):
            found = run_episode(task, episode, build_controller(name, task), tmp_path, Measure())
            results.append(EpisodeResult(name, f"{seconds:g} s", 0, 0, found.metrics, found.reward))
    comparison = Comparison(results, confidence=0.95)
    for scenario in comparison.scenarios:
        part = comparison.of_scenario(scenario)
        arrived = [part.mean(name, "arrived") for name in part.controllers]
        assert min(arrived) < 2 / 3 * max(arrived)
        assert {name: part.num_diverged(name) for name in part.controllers} == {
            "fixed": 0,
            "random": 0,
            "max_pressure": 0,
        }


def test_what_holding_red_would_gain_is_marked_as_no_ranking(comparison: Comparison) -> None:
    unranked = comparison.as_dict()["not_to_be_ranked"]
    for metric in ("distance_m", "stops_per_veh"):
        assert comparison.mean("all red", metric) < comparison.mean("fixed", metric)
        assert metric in unranked
    assert {"teleports", "collisions", "emergency_brakings"} < {*unranked}, "who stands is safe"
