from dataclasses import replace
from pathlib import Path

import pytest
from learning_cases import ALGORITHM, EXECUTION, learner, trainer_of
from stable_baselines3 import PPO
from traffic_cases import city

from trafficrl.config.algorithm import LearningRateSchedule, PPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.teachers import KickstartConfig
from trafficrl.errors import ConfigError
from trafficrl.runs.paths import RunPaths
from trafficrl.training.models import load_model
from trafficrl.training.ppo import resume_ppo
from trafficrl.training.schedules import (
    entropy_schedule,
    learning_rate_schedule,
    teacher_schedule,
)

FALLING = replace(
    ALGORITHM,
    learning_rate=1e-3,
    lr_schedule=LearningRateSchedule.linear,
    lr_final=1e-4,
    ent_schedule=True,
    ent_initial=0.02,
    ent_final=0.001,
    ent_decay_steps=32,
)


def rates(config: PPOConfig, *steps: int, total: int = 100) -> list[float]:
    schedule = learning_rate_schedule(config, total_timesteps=total)
    return [schedule(step) for step in steps]


def test_a_constant_rate_stays() -> None:
    assert rates(ALGORITHM, 0, 50, 1000) == [1e-3] * 3


def test_a_linear_rate_falls_straight_to_its_end_and_stays_there() -> None:
    assert rates(FALLING, 0, 50, 100, 200) == pytest.approx([1e-3, 5.5e-4, 1e-4, 1e-4], rel=1e-12)


def test_an_exponential_rate_falls_by_its_factor_each_step_down_to_its_floor() -> None:
    config = replace(
        ALGORITHM,
        learning_rate=1e-4,
        lr_schedule=LearningRateSchedule.exponential,
        lr_final=5e-6,
        lr_decay_rate=0.99995,
    )
    assert rates(config, 0, 10_000, 500_000) == pytest.approx(
        [1e-4, 1e-4 * 0.6065230, 5e-6], rel=1e-6
    )
    # ln(5e-6 / 1e-4) / ln(0.99995): the floor is reached between these two
    assert rates(config, 59_912)[0] > 5e-6
    assert rates(config, 59_914)[0] == 5e-6


def test_a_falling_rate_does_not_rise() -> None:
    with pytest.raises(ConfigError, match="lr_final must be at most learning_rate 1e-06 while lr_"):
        replace(FALLING, learning_rate=1e-6)
    constant = LearningRateSchedule.constant
    assert rates(replace(FALLING, learning_rate=1e-6, lr_schedule=constant), 9) == [1e-6]


def test_entropy_is_constant_unless_it_is_scheduled() -> None:
    assert [entropy_schedule(ALGORITHM)(step) for step in (0, 10_000)] == [0.01, 0.01]
    falling = entropy_schedule(FALLING)
    assert [falling(step) for step in (0, 16, 32, 64)] == pytest.approx(
        [0.02, 0.0105, 0.001, 0.001], rel=1e-12
    )


def test_a_teacher_fades_from_the_first_step_of_the_run() -> None:
    taught = replace(ALGORITHM, kickstart=KickstartConfig(teacher="fixed", coef=2, fade_steps=10))
    for first in (0, 30_000):
        schedule = teacher_schedule(taught, first=first)
        assert [schedule(first + step) for step in (0, 5, 10, 20)] == [2.0, 1.0, 0.0, 0.0]


def train(model: PPO, algorithm: PPOConfig, execution: ExecutionConfig, folder: Path) -> RunPaths:
    trainer_of(model, folder, algorithm, execution).run()
    return RunPaths(folder)


def applied(model: PPO) -> tuple[float, float]:
    """What the last update really used: the optimiser's learning rate, and the entropy bonus."""
    return model.policy.optimizer.param_groups[0]["lr"], model.ent_coef


def test_training_moves_the_optimiser_and_a_resumed_one_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    algorithm = replace(FALLING, n_steps=16, batch_size=16)
    half = replace(EXECUTION, total_timesteps=32)
    with learner(tmp_path, algorithm, half) as model:
        paths = train(model, algorithm, half, tmp_path)
        # the last of two updates began at step 16, of 32
        assert applied(model) == pytest.approx((5.5e-4, 0.0105), rel=1e-12)
    (tmp_path / "more").mkdir()
    more = replace(EXECUTION, total_timesteps=16)
    with learner(tmp_path / "more", algorithm, more) as resumed:
        resume_ppo(resumed, load_model(paths.final_model), algorithm, city())
        train(resumed, algorithm, more, tmp_path / "more")
        # its only update began at step 32 of 32 + 16, where the entropy had come down
        assert applied(resumed) == pytest.approx((1e-3 - 9e-4 * 32 / 48, 0.001), rel=1e-12)
        assert resumed.num_timesteps == 48
