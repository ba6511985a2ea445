"""The action of a teacher is exactly what would do the same, or is told not to be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from learning_cases import ALGORITHM, small_task
from teaching_cases import FRESH, Player, choosing_task, controllers, cycle_task, unsafe_city
from teaching_cases import demonstrated as driven

from trafficrl.config.algorithm import PhaseOrder
from trafficrl.config.controllers import SotlConfig
from trafficrl.control.controller import Controller
from trafficrl.env.actions import PhaseDurationsAction, build_action
from trafficrl.env.classical import build_classical
from trafficrl.env.episodes import Episode, TrainingEpisodes
from trafficrl.env.task import Task
from trafficrl.env.teacher import Teacher
from trafficrl.errors import ConfigError
from trafficrl.evaluation.demonstrating import demonstrate_episode
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import Measure, Outcome
from trafficrl.runs.seeding import Split


def first_episode(task: Task) -> Episode:
    return TrainingEpisodes(task.scenarios, seed=1, slot=0, slots=1).episode(0)


def outcome(task: Task, controller: Controller, folder: Path) -> Outcome:
    return run_episode(task, first_episode(task), controller, folder, Measure(emissions=False))


def played(task: Task, actions: np.ndarray, folder: Path) -> Outcome:
    """What comes of the noted actions."""
    action = build_action(task.action, task.network, task.step_s)
    return outcome(task, Player(action, list(actions)), folder)


def test_the_labels_of_the_fixed_plan_are_the_fixed_plan(tmp_path: Path) -> None:
    task = cycle_task(network=unsafe_city())
    found = driven("fixed", task, tmp_path, episodes=1)
    assert found.exact.all()
    assert len(found.actions) == 3
    fixed = outcome(task, build_classical("fixed", task), tmp_path)
    again = played(task, found.actions, tmp_path)
    assert again.metrics.delay_s > 0
    assert again.metrics == fixed.metrics
    other = played(task, found.actions[:, ::-1] + np.arange(found.actions.shape[1]), tmp_path)
    assert other.metrics != fixed.metrics


@pytest.mark.parametrize("name", ["fixed", "uniform", "tree_method"])
def test_greens_come_back_from_their_actions(name: str, tmp_path: Path) -> None:
    task = cycle_task()  # with clearances
    found = driven(name, task, tmp_path, episodes=1)
    assert found.exact.all()
    action = PhaseDurationsAction(task.action, task.network, task.step_s)
    if name == "fixed":
        rows = action.decode(found.actions[1]).green_s
        for row, signal in zip(rows, task.network.signals, strict=True):
            assert row[: len(signal.phases)].tolist() == [p.duration_s for p in signal.phases]


def test_a_plan_of_another_cycle_is_told_to_be_inexact(tmp_path: Path) -> None:
    task = cycle_task()
    short = replace(task, action=replace(task.action, cycle_s=80), end_s=240.0)
    assert not driven("fixed", short, tmp_path, episodes=1).exact.any()


@pytest.mark.parametrize("shared", [True, False])
def test_chosen_phases_drive_the_same_traffic(shared: bool, tmp_path: Path) -> None:
    task = choosing_task()
    if not shared:
        task = small_task(ALGORITHM, scenarios=FRESH, end_s=200.0, controllers=controllers(10.0))
    found = driven("max_pressure", task, tmp_path, episodes=1)
    assert found.exact.all()
    direct = outcome(task, build_classical("max_pressure", task), tmp_path)
    assert played(task, found.actions, tmp_path).metrics == direct.metrics
    assert found.masks.shape[0] == len(found.actions)
    if shared:
        chosen = np.take_along_axis(found.masks, found.actions[:, :, None], axis=2)
        assert chosen.all()
        assert not found.masks.all(axis=(1, 2)).any()


def test_what_changes_amid_decisions_is_told_to_be_inexact(tmp_path: Path) -> None:
    task = choosing_task()
    found = driven("actuated", task, tmp_path, episodes=1)
    assert 0.3 < found.exact.mean() < 1.0
    assert len(np.unique(found.actions)) > 1
    chosen = np.take_along_axis(found.masks, found.actions[:, :, None], axis=2)
    assert chosen.all()


def test_a_phase_out_of_order_is_told_to_be_inexact(tmp_path: Path) -> None:
    free = choosing_task()
    task = replace(free, action=replace(free.action, order=PhaseOrder.cycle))
    found = driven("max_pressure", task, tmp_path, episodes=1)
    loose = driven("max_pressure", free, tmp_path, episodes=1)
    chosen = np.take_along_axis(found.masks, found.actions[:, :, None], axis=2)
    assert chosen.all()
    assert loose.exact.all()
    np.testing.assert_array_equal(found.exact, found.actions == loose.actions)
    assert 0.5 < found.exact.mean() < 1.0


def test_the_nearest_phase_is_the_one_for_most_of_the_decision(tmp_path: Path) -> None:
    task = small_task(ALGORITHM, scenarios=FRESH, end_s=180.0, network=unsafe_city())
    task = replace(task, action=replace(task.action, interval_s=7))
    found = driven("fixed", task, tmp_path, episodes=1)
    middle_s = (np.arange(len(found.actions)) * 7 + 3.5) % 90
    assert not found.exact.all()
    for place, signal in enumerate(task.network.signals):
        ends_s = np.cumsum([phase.duration_s for phase in signal.phases])
        shown = np.searchsorted(ends_s, middle_s, side="right")
        whole = middle_s[:-1]  # the last decision is cut off by the end of the episode
        assert found.actions[:-1, place].tolist() == shown[: len(whole)].tolist()


def test_a_plan_is_said_exactly_by_decisions_of_one_step(tmp_path: Path) -> None:
    task = small_task(ALGORITHM, scenarios=FRESH, end_s=180.0, network=unsafe_city())
    one_second = replace(task, action=replace(task.action, interval_s=1))
    found = driven("fixed", one_second, tmp_path, episodes=1)
    assert found.exact.all()
    fixed = outcome(one_second, build_classical("fixed", one_second), tmp_path)
    assert played(one_second, found.actions, tmp_path).metrics == fixed.metrics


def test_a_slower_teacher_keeps_its_phases_between_its_decisions(tmp_path: Path) -> None:
    task = choosing_task(controllers=controllers(15.0), end_s=205.0)
    found = driven("max_pressure", task, tmp_path, episodes=1)
    direct = outcome(task, build_classical("max_pressure", task), tmp_path).metrics
    again = played(task, found.actions, tmp_path).metrics
    assert (again.delay_s, again.arrived) == (direct.delay_s, direct.arrived)
    fast = choosing_task(end_s=205.0)
    assert outcome(fast, build_classical("max_pressure", fast), tmp_path).metrics.delay_s != (
        direct.delay_s
    )


@pytest.mark.parametrize(("name", "decision_s"), [("max_pressure", 10), ("sotl", 5)])
def test_a_teacher_decides_when_the_learner_does(
    name: str, decision_s: float, tmp_path: Path
) -> None:
    slow = {**controllers(15.0), "sotl": SotlConfig(interval_s=15)}
    task = choosing_task(controllers=slow)
    task = replace(task, action=replace(task.action, interval_s=decision_s))
    with pytest.raises(ConfigError, match=rf"every 15 s.*{name}\.interval_s={decision_s}"):
        driven(name, task, tmp_path)


@pytest.mark.parametrize("name", ["actuated", "max_pressure"])
def test_a_cycle_says_nothing_of_phases_chosen_amid_it(name: str, tmp_path: Path) -> None:
    task = cycle_task(controllers=controllers(90.0))
    with pytest.raises(ConfigError, match=f"teacher {name}: algorithm.action.kind=phase_durations"):
        driven(name, task, tmp_path)


def test_nothing_is_demonstrated_on_test_demand(tmp_path: Path) -> None:
    task = choosing_task()
    teacher = Teacher("max_pressure", build_classical("max_pressure", task), task)
    for split in (Split.validation, Split.test):
        with pytest.raises(ConfigError, match="is no training seed"):
            demonstrate_episode(task, Episode.of_split("light", split, 0), teacher, tmp_path)
