"""A teacher pulls as strongly as its coefficient says, and not at all at 0."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning_cases import ALGORITHM, EXECUTION, equal_states, small_task, trainer_of
from shared_cases import PAID, SHARED
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from teaching_cases import CYCLES, FRESH, controllers, demonstrated

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.config.teachers import KickstartConfig
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.runs.paths import RunPaths
from trafficrl.training.checkpoints import Checkpoints
from trafficrl.training.imitation import imitation_losses
from trafficrl.training.kickstart import KickstartedPPO, TaughtRolloutBuffer
from trafficrl.training.models import load_model, write_model
from trafficrl.training.ppo import build_ppo
from trafficrl.training.rollout import Rollout
from trafficrl.training.vector import build_vector_env

LONG = replace(EXECUTION, total_timesteps=32, end_time=200.0, checkpoint_freq=100)


def taught(algorithm: CommonPPOConfig, teacher: str | None, **changes: Any) -> CommonPPOConfig:
    return replace(algorithm, kickstart=KickstartConfig(teacher=teacher, **changes))


def taught_task(algorithm: CommonPPOConfig) -> Task:
    more: dict[str, Any] = {"reward": PAID} if algorithm.kind == "ppo_shared" else {}
    interval_s = algorithm.action.decision_s
    return small_task(
        algorithm, scenarios=FRESH, controllers=controllers(interval_s), end_s=200.0, **more
    )


@contextmanager
def pupil(
    folder: Path, algorithm: CommonPPOConfig, execution: ExecutionConfig = LONG
) -> Iterator[PPO]:
    """A learner whose environments ask its teacher."""
    task = taught_task(algorithm)
    environments = build_vector_env(
        task,
        algorithm,
        execution,
        seed=1,
        folder=folder / "work",
        teacher=algorithm.kickstart.teacher,
    )
    try:
        yield build_ppo(algorithm, environments, task, seed=1, device="cpu")
    finally:
        environments.close()


def train(folder: Path, algorithm: CommonPPOConfig, execution: ExecutionConfig = LONG) -> RunPaths:
    folder.mkdir(exist_ok=True)
    with pupil(folder, algorithm, execution) as model:
        trainer = trainer_of(model, folder, algorithm, execution)
        newest = Checkpoints(RunPaths(folder), trainer._checkpoints._origin, keep=9).newest()
        trainer.run(newest)
    return RunPaths(folder)


def weights(paths: RunPaths) -> dict[str, torch.Tensor]:
    return load_model(paths.final_model).policy_state


def rows(paths: RunPaths) -> list[dict[str, str]]:
    with paths.metrics.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("algorithm", [ALGORITHM, SHARED], ids=["central", "shared"])
def test_at_coefficient_0_it_is_ppo_bit_for_bit(algorithm: CommonPPOConfig, tmp_path: Path) -> None:
    alone = weights(train(tmp_path / "alone", algorithm))
    silent = train(tmp_path / "silent", taught(algorithm, "max_pressure", coef=0.0))
    assert equal_states(alone, weights(silent))
    loud = train(tmp_path / "loud", taught(algorithm, "max_pressure"))
    assert not equal_states(alone, weights(loud))


def test_the_coefficient_fades(tmp_path: Path) -> None:
    chosen = taught(SHARED, "max_pressure", coef=2.0, fade_steps=16)
    found = rows(train(tmp_path, chosen))
    coefficients = [float(row["train/teacher_coef"]) for row in found]
    assert coefficients == pytest.approx([2.0, 1.0, 0.0, 0.0])
    assert [bool(row["train/teacher_loss"]) for row in found] == [True, True, False, False]


def test_a_pupil_comes_nearer_to_its_teacher_than_one_without(tmp_path: Path) -> None:
    """Judged where the teacher itself drove, in episodes that neither has seen."""
    algorithm = replace(SHARED, learning_rate=3e-3, n_epochs=8, n_steps=16, batch_size=4)
    execution = replace(LONG, total_timesteps=128)
    task = taught_task(algorithm)
    shown = demonstrated("max_pressure", task, tmp_path, episodes=1)
    seen = torch.as_tensor(shown.observations.reshape(-1, shown.observations.shape[-1]))
    actions = torch.as_tensor(shown.actions.reshape(-1, 1))
    losses = []
    for coef in (0.0, 1.0):
        chosen = taught(algorithm, "max_pressure", coef=coef, fade_steps=1000)
        policy = load_model(train(tmp_path / str(coef), chosen, execution).final_model).policy
        assert isinstance(policy, ActorCriticPolicy)
        with torch.no_grad():
            losses.append(float(imitation_losses(policy, seen, actions, ()).mean()))
    assert losses[1] < 0.7 * losses[0]


@pytest.mark.parametrize("algorithm", [ALGORITHM, SHARED], ids=["central", "shared"])
def test_the_noted_actions_are_those_of_the_teacher(
    algorithm: CommonPPOConfig, tmp_path: Path
) -> None:
    chosen = taught(algorithm, "max_pressure")
    with pupil(tmp_path, chosen) as model:
        model._setup_learn(8, None)
        rollout = Rollout(model)
        while not rollout.full:
            rollout.step()
        buffer = model.rollout_buffer
        assert isinstance(buffer, TaughtRolloutBuffer)
        assert (buffer.taught == 1.0).all()
        given = buffer.teacher_actions.copy()
        assert len(np.unique(given)) > 1
        if algorithm is SHARED:  # the row's own mask allows what the teacher does
            places = given.astype(int)
            assert np.take_along_axis(buffer.observations, places, axis=2).all()
        rollout.finish()
        pairs = 0
        for samples in buffer.get(5):
            actions, known = buffer.batch_teacher()
            assert known.all()
            for one, action in zip(samples.observations, actions, strict=True):
                flat = buffer.observations.reshape(-1, one.shape[0])
                (place,) = np.flatnonzero((flat == one.numpy()).all(axis=1))[:1]
                step, env = place % buffer.buffer_size, place // buffer.buffer_size
                assert given[step, env].tolist() == action.tolist()
                pairs += 1
        assert pairs == buffer.buffer_size * buffer.n_envs


def test_a_crashed_decision_has_no_teacher(tmp_path: Path) -> None:
    with pupil(tmp_path, taught(ALGORITHM, "max_pressure")) as model:
        buffer = model.rollout_buffer
        assert isinstance(buffer, TaughtRolloutBuffer)
        buffer.note_teacher([{"crash": "it died"}])
        assert not buffer.taught.any()


def test_a_kickstart_that_was_cut_ends_as_one_that_was_not(tmp_path: Path) -> None:
    chosen = taught(SHARED, "max_pressure", fade_steps=24)
    whole = train(tmp_path / "whole", chosen)
    cut = replace(LONG, total_timesteps=16, checkpoint_freq=5)
    first = train(tmp_path / "cut", chosen, cut)
    for file in first.checkpoints.glob("step_0000000016.*"):
        file.unlink()  # so that it goes on amid a rollout
    again = train(tmp_path / "cut", chosen)
    assert equal_states(weights(whole), weights(again))
    assert whole.metrics.read_text() == again.metrics.read_text()


def test_a_checkpoint_teaches(tmp_path: Path) -> None:
    with pupil(tmp_path, SHARED) as model:
        write_model(
            model, tmp_path / "old.zip", algorithm=SHARED, network=taught_task(SHARED).network
        )
    chosen = taught(SHARED, str(tmp_path / "old.zip"))
    with pupil(tmp_path, chosen) as model:
        assert isinstance(model, KickstartedPPO)
        first = rows(train(tmp_path / "run", chosen))[0]
    # It began with the weights of its teacher, so at first it agrees as far as it is decided.
    assert 0 < float(first["train/teacher_loss"]) < np.log(4)


def test_durations_are_compared_by_shares(tmp_path: Path) -> None:
    with pupil(tmp_path, taught(CYCLES, "fixed"), replace(LONG, end_time=180.0)) as model:
        assert isinstance(model, KickstartedPPO)
        width = model.action_space.shape
        assert width is not None
        seen = torch.zeros(1, *model.observation_space.shape)  # type: ignore[misc]
        with torch.no_grad():
            found = model.policy.get_distribution(seen).distribution
            assert isinstance(found, torch.distributions.Normal)
            mean = found.mean
            for shift in (0.0, 3.0):
                loss = imitation_losses(model.policy, seen, mean + shift, model.num_phases)
                assert float(loss[0]) == pytest.approx(0.0, abs=1e-6)
            other = mean + torch.arange(width[0])
            assert float(imitation_losses(model.policy, seen, other, model.num_phases)[0]) > 0.1


def test_who_cannot_be_followed_beside_another_driver_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"teacher actuated: .*next_phase cannot say"),
        pupil(tmp_path, taught(ALGORITHM, "actuated")) as model,
    ):
        model._setup_learn(8, None)
