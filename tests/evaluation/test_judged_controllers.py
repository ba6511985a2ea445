from pathlib import Path

import numpy as np
import pytest
from learning_cases import ALGORITHM, save_new_model, small_task

from trafficrl.config.controllers import MaxPressureConfig, UniformConfig
from trafficrl.config.store import SCHEMAS
from trafficrl.control.commands import FollowPlan, NextPhase
from trafficrl.control.greedy import Greedy
from trafficrl.control.learned import LearnedController
from trafficrl.control.sotl import Sotl
from trafficrl.env.classical import CONTROLLERS
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


def test_a_configured_name_comes_before_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sotl").mkdir()
    monkeypatch.chdir(tmp_path)
    assert isinstance(build_controller("sotl", small_task()), Sotl)


def test_every_configured_kind_can_be_built() -> None:
    assert set(CONTROLLERS) == set(SCHEMAS["controller"])


def test_a_controller_has_the_parameters_of_its_name(tmp_path: Path) -> None:
    task = small_task(controllers={"quick": MaxPressureConfig(interval_s=5)})
    controller = build_controller("quick", task)
    assert isinstance(controller, Greedy)
    running = start_episode(task, Episode.of_split("light", Split.test, 0), tmp_path)
    try:
        assert controller.decide(running.driver.start()).interval_s == 5
    finally:
        running.close()
    with pytest.raises(ConfigError, match=r"choices: PATH/model\.zip, quick"):
        build_controller("max_pressure", task)


def test_parameters_that_do_not_fit_are_named_as_the_user_did() -> None:
    task = small_task(
        controllers={"quick": MaxPressureConfig(interval_s=2.5), "short": UniformConfig(cycle_s=20)}
    )
    message = r"^controller\.quick\.interval_s must be a multiple of network\.step_length 1 \[s\]"
    with pytest.raises(ConfigError, match=message):
        build_controller("quick", task)
    with pytest.raises(ConfigError, match=r"^controller\.short\.cycle_s 20 \[s\] is too short"):
        build_controller("short", task)


def test_an_episode_begins_with_the_programs_of_its_controller(tmp_path: Path) -> None:
    task = small_task(controllers={"short": UniformConfig(cycle_s=60)})
    controller = build_controller("short", task)
    episode = Episode.of_split("light", Split.test, 0)
    signal = next(one for one in task.network.signals if len(one.phases) == 4)
    found = []
    for given in (controller, None):
        running = start_episode(task, episode, tmp_path, controller=given)
        try:
            found.append([begins_s for begins_s, _ in running.session.read_plan(signal.id)])
        finally:
            running.close()
    assert found[0] == [0, 10, 13, 15, 25, 28, 30, 40, 43, 45, 55, 58]
    assert found[1][:4] == [0, 18, 21, 23]
    assert list(tmp_path.iterdir()) == []


def test_chance_is_that_of_the_episode(tmp_path: Path) -> None:
    task = small_task()
    controller = build_controller("random", task)

    def phases(seed: int) -> list[int]:
        episode = Episode.of_split("light", Split.test, seed)
        running = start_episode(task, episode, tmp_path, controller=controller)
        try:
            command = controller.decide(running.driver.start())
        finally:
            running.close()
        assert isinstance(command, NextPhase)
        return [int(phase) for phase in command.phase]

    assert phases(0) == phases(0) != phases(1)
