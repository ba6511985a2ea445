import csv
import json
import logging
import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from learning_cases import ALGORITHM, EXECUTION, equal_states, learner, trainer_of
from traffic_cases import scenario_config

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.curriculum import CurriculumConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.runs.paths import RunPaths
from trafficrl.training.best import Validation
from trafficrl.training.models import load_model
from trafficrl.training.trainer import TrainingEnd

Validate = Callable[[Path], Validation]
VALIDATED = replace(EXECUTION, total_timesteps=48, eval_freq=16, checkpoint_freq=16)


def train(
    folder: Path,
    execution: ExecutionConfig = EXECUTION,
    algorithm: PPOConfig = ALGORITHM,
    *,
    seed: int = 1,
    validate: Validate | None = None,
    judge_start: bool = False,
) -> tuple[RunPaths, TrainingEnd]:
    folder.mkdir(exist_ok=True)
    paths = RunPaths(folder)
    with learner(folder, algorithm, execution, seed=seed) as model:
        trainer = trainer_of(model, folder, algorithm, execution, validate, judge_start=judge_start)
        return paths, trainer.run()


def scoring(*scores: float) -> Validate:
    """Gives the scores one after another, and tells them by the model file it was asked about."""
    left = iter(scores)

    def validate(model: Path) -> Validation:
        assert load_model(model).timesteps >= 0
        score = next(left)
        return Validation(score, {"delay_s": -score})

    return validate


def rows(paths: RunPaths) -> list[dict[str, str]]:
    with paths.metrics.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def steps_of(folder: Path) -> list[int]:
    """Environment steps of the checkpoints, by their content and not their names."""
    files = sorted(folder.glob("*.zip"))
    found = [load_model(file).timesteps for file in files]
    assert [file.name for file in files] == [f"step_{steps:010d}.zip" for steps in found]
    return found


def test_one_row_an_update_and_checkpoints_in_environment_steps(tmp_path: Path) -> None:
    execution = replace(EXECUTION, total_timesteps=40, checkpoint_freq=12, keep_checkpoints=2)
    paths, end = train(tmp_path, execution)
    assert [row["timesteps"] for row in rows(paths)] == ["8", "16", "24", "32", "40"]
    # 12 and 36 lie within a rollout; the two newest stay, and the last step has one in any case
    assert steps_of(paths.checkpoints) == [36, 40]
    assert end == TrainingEnd("all steps done", 40, None)
    record = json.loads(paths.run.read_text())
    assert (record["timesteps"], record["best_score"]) == (40, None)


def test_the_steps_of_all_processes_count(tmp_path: Path) -> None:
    execution = replace(
        EXECUTION, total_timesteps=32, checkpoint_freq=16, parallel_envs=2, single_env=False
    )
    paths, end = train(tmp_path, execution)
    assert [row["timesteps"] for row in rows(paths)] == ["16", "32"]
    assert steps_of(paths.checkpoints) == [16, 32]
    assert end.timesteps == 32


def test_the_log_holds_what_was_learned_and_what_the_traffic_did(tmp_path: Path) -> None:
    paths, _ = train(tmp_path)
    last = rows(paths)[-1]
    for column in (
        "train/learning_rate",
        "train/ent_coef",
        "train/loss",
        "rollout/ep_rew_mean",
        "reward/delay_per_signal_veh",
        "traffic/arrived_share",
        "traffic/teleports",
    ):
        assert math.isfinite(float(last[column])), column
    assert last["train/learning_rate"] == "0.001"
    assert last["train/ent_coef"] == "0.01"
    assert 0 <= float(last["traffic/arrived_share"]) <= 1


def test_the_best_model_is_the_one_with_the_best_score(tmp_path: Path) -> None:
    paths, end = train(tmp_path, VALIDATED, validate=scoring(-5.0, -7.0, -6.0))
    scores = [row["validation/score"] for row in rows(paths)]
    assert scores == ["", "-5.0", "", "-7.0", "", "-6.0"]
    assert [row["validation/delay_s"] for row in rows(paths)][1::2] == ["5.0", "7.0", "6.0"]
    assert load_model(paths.best_model).timesteps == 16
    assert load_model(paths.final_model).timesteps == 48
    assert end.best_score == -5.0


def test_a_model_that_knows_something_is_judged_before_it_learns_more(tmp_path: Path) -> None:
    scores = scoring(-5.0, -9.0, -7.0, -6.0)
    paths, end = train(tmp_path, VALIDATED, validate=scores, judge_start=True)
    assert [row["timesteps"] for row in rows(paths)] == ["0", "8", "16", "24", "32", "40", "48"]
    assert [row["validation/score"] for row in rows(paths)][::2] == ["-5.0", "-9.0", "-7.0", "-6.0"]
    assert load_model(paths.best_model).timesteps == 0
    assert end.best_score == -5.0


def test_the_last_model_is_validated_though_it_comes_between(tmp_path: Path) -> None:
    execution = replace(EXECUTION, total_timesteps=16, eval_freq=1000)
    paths, end = train(tmp_path, execution, validate=scoring(-20.0))
    assert [row["validation/delay_s"] for row in rows(paths)] == ["", "20.0"]
    assert end.best_score == -20.0
    assert load_model(paths.best_model).timesteps == 16


def test_without_validation_the_best_model_is_the_final_one(tmp_path: Path) -> None:
    paths, _ = train(tmp_path)
    best, final = load_model(paths.best_model), load_model(paths.final_model)
    assert best.timesteps == final.timesteps == 16
    assert equal_states(best.policy_state, final.policy_state)
    train(tmp_path, replace(EXECUTION, total_timesteps=24))  # again there, and longer
    assert load_model(paths.best_model).timesteps == load_model(paths.final_model).timesteps == 24


def test_early_stopping_stops(tmp_path: Path) -> None:
    execution = replace(
        VALIDATED,
        total_timesteps=10_000,
        early_stopping_patience=2,
        early_stopping_min_delta=1e6,
    )
    paths, end = train(tmp_path, execution, validate=scoring(-9.0, -8.0, -7.0))
    assert end == TrainingEnd("no better score in 2 validations", 48, -7.0)
    assert load_model(paths.final_model).timesteps == 48
    assert load_model(paths.best_model).timesteps == 48, "any rise makes a new best model"


def test_a_score_that_is_no_number_leaves_the_best_model_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nan = math.nan
    paths, end = train(tmp_path, VALIDATED, validate=scoring(nan, -5.0, nan))
    assert load_model(paths.best_model).timesteps == 32
    assert end.best_score == -5.0
    assert "validation at 16 steps: score nan, best none" in caplog.text
    assert "validation at 48 steps: score nan, best -5.000" in caplog.text


def test_equal_seeds_learn_equally_and_others_do_not(tmp_path: Path) -> None:
    algorithm = replace(ALGORITHM, normalize_observation=True, normalize_reward=True)
    runs = [
        train(tmp_path / str(number), EXECUTION, algorithm, seed=seed)[0]
        for number, seed in enumerate((1, 1, 2))
    ]
    texts = [paths.metrics.read_bytes() for paths in runs]
    models = [load_model(paths.final_model) for paths in runs]
    assert texts[0] == texts[1] != texts[2]
    assert equal_states(models[0].policy_state, models[1].policy_state)
    assert not equal_states(models[0].policy_state, models[2].policy_state)
    assert models[0].normaliser == models[1].normaliser != models[2].normaliser
    assert models[0].reward_scale == models[1].reward_scale != models[2].reward_scale


def test_more_scenarios_than_slots_are_all_seen_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[str] = Counter()
    reset = TrafficSignalEnv.reset

    def counted(env: TrafficSignalEnv, **arguments: object) -> object:
        observation, info = reset(env, **arguments)  # type: ignore[arg-type]
        seen[info["scenario"]] += 1
        return observation, info

    monkeypatch.setattr(TrafficSignalEnv, "reset", counted)
    scenarios = {name: scenario_config(num_vehicles=12) for name in ("morning", "noon", "evening")}
    with learner(tmp_path, scenarios=scenarios) as model:
        model.learn(36)  # six episodes of six decisions
    assert "3 scenarios but 1 environment slots" in caplog.text
    assert seen == {"morning": 3, "noon": 2, "evening": 2}


@pytest.mark.parametrize(("steps", "warned"), [(12, True), (17, True), (18, False)])
def test_a_curriculum_that_training_does_not_come_to_the_end_of_is_told(
    steps: int, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    curriculum = CurriculumConfig(first_share=0.4, last_share=1.0, episodes=4)
    execution = replace(EXECUTION, total_timesteps=steps)  # episodes of six decisions
    with learner(tmp_path, execution=execution, curriculum=curriculum):
        pass
    told = "algorithm.curriculum.episodes=4: training ends at 0.80 of the demand, not at 1"
    assert (told in caplog.text) == warned


def test_as_many_slots_as_scenarios_warn_of_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with learner(tmp_path):
        pass
    assert caplog.text == ""


def test_tensorboard_files_are_written_and_nothing_writes_on(tmp_path: Path) -> None:
    before = threading.active_count()
    paths, _ = train(tmp_path, replace(EXECUTION, trackers=["tensorboard"]))
    (events,) = paths.tensorboard.iterdir()
    assert events.stat().st_size > 1000
    assert threading.active_count() == before
