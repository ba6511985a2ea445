from pathlib import Path

import numpy as np
import pytest
from learning_cases import ALGORITHM, save_new_model, small_task

from trafficrl.control.commands import FollowPlan, NextPhase
from trafficrl.control.learned import LearnedController
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.errors import CheckpointError, ConfigError
from trafficrl.evaluation.controllers import build_controller, check_controller
from trafficrl.runs.seeding import Split


def test_fixed_time_follows_the_plan(tmp_path: Path) -> None:
    task = small_task()
    running = start_episode(task, Episode.of_split("light", Split.test, 0), tmp_path)
    try:
        command = build_controller("fixed", task).decide(running.driver.start())
    finally:
        running.close()
    assert command == FollowPlan(ALGORITHM.action.interval_s)


def test_a_model_decides_for_every_signal(tmp_path: Path) -> None:
    save_new_model(tmp_path / "model.zip")
    task = small_task()
    controller = build_controller(str(tmp_path / "model.zip"), task)
    assert isinstance(controller, LearnedController)
    running = start_episode(task, Episode.of_split("light", Split.test, 0), tmp_path)
    try:
        command = controller.decide(running.driver.start())
    finally:
        running.close()
    assert isinstance(command, NextPhase)
    assert command.interval_s == ALGORITHM.action.interval_s
    most = np.array([len(signal.phases) for signal in task.network.signals])
    assert ((command.phase >= 0) & (command.phase < most)).all()


def test_an_unknown_controller_is_refused_with_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"'fixd' \(did you mean 'fixed'\?\); choices: .*model"):
        check_controller("fixd", ["fixed"])


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.zip")
    with pytest.raises(ConfigError, match=r"no model file .*absent\.zip"):
        check_controller(absent, [])
    with pytest.raises(ConfigError, match=r"no model file .*absent\.zip"):
        build_controller(absent, small_task())


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "damaged.zip").write_text("no model")
    with pytest.raises(CheckpointError, match="damaged"):
        build_controller(str(tmp_path / "damaged.zip"), small_task())
