"""A curriculum thins the demand of training episodes, generated and given, and of no others."""

from pathlib import Path

import pytest
import traffic_cases as cases
from env_cases import environment

from trafficrl.config.curriculum import CurriculumConfig
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.control.commands import FollowPlan
from trafficrl.env.episodes import Episode, TrainingEpisodes
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.runs.seeding import Split


def test_the_share_rises_in_a_straight_line_and_stays() -> None:
    curriculum = CurriculumConfig(first_share=0.5, last_share=1.0, episodes=6)
    assert [round(curriculum.share(index), 9) for index in range(8)] == [
        *(0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        *(1.0, 1.0),
    ]
    assert {CurriculumConfig().share(index) for index in range(3)} == {1.0}


def test_each_environment_has_its_own_beginning() -> None:
    curriculum = CurriculumConfig(first_share=0.5, last_share=1.0, episodes=3)
    scenarios = {"few": cases.scenario_config()}
    for slot in range(3):
        sequence = TrainingEpisodes(scenarios, seed=1, slot=slot, slots=3, curriculum=curriculum)
        assert [sequence.episode(index).share for index in range(4)] == [0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("split", [Split.validation, Split.test])
def test_what_judges_has_all_vehicles(split: Split) -> None:
    assert Episode.of_split("few", split, 0).share == 1.0


def test_generated_demand_is_drawn_in_that_share(tmp_path: Path) -> None:
    task = cases.task()
    assert vehicles(task, 1.0, tmp_path) == 20
    assert vehicles(task, 0.5, tmp_path) == 10


def test_the_environment_follows_the_curriculum_and_tells_of_it(tmp_path: Path) -> None:
    curriculum = CurriculumConfig(first_share=0.5, last_share=1.0, episodes=3)
    told = []
    with environment(curriculum=curriculum, folder=tmp_path) as env:
        for _ in range(3):
            env.reset()
            over = False
            while not over:
                *_, terminated, truncated, info = env.step(env.action_space.sample())
                over = terminated or truncated
            told.append(info["traffic"]["demand_share"])
    assert told == [0.5, 0.75, 1.0]


def test_given_demand_is_thinned_by_sumo(tmp_path: Path) -> None:
    given = RouteFileScenarioConfig(file=[str(cases.scenario(60, 120.0).route_files[0])])
    task = cases.task(scenarios={"few": given})
    assert vehicles(task, 1.0, tmp_path) == 2 * vehicles(task, 0.5, tmp_path) > 20


@pytest.mark.parametrize("change", [{"first_share": 0.0}, {"last_share": 3}, {"episodes": 0}])
def test_what_makes_no_sense_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"algorithm\.curriculum\.{next(iter(change))}"):
        CurriculumConfig(**change)  # type: ignore[arg-type]


def vehicles(task: Task, share: float, folder: Path) -> int:
    """How many were due in an episode, by SUMO's own count."""
    running = start_episode(task, Episode("few", None, 7, share), folder)
    try:
        state = running.driver.start()
        while not running.driver.finished:
            state = running.driver.advance(FollowPlan(interval_s=20.0))
        return state.totals.scheduled_veh
    finally:
        running.close()
