"""Learners with a memory, on real SUMO: what they remember and save, and going on from it."""

import csv
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cut_cases import assert_equal_runs
from learning_cases import EXECUTION, equal_states, trainer_of
from off_policy_cases import DQN, KINDS, SAC, TD3, off_policy_learner
from stable_baselines3 import SAC as PLAIN_SAC
from traffic_cases import city

from trafficrl.config.off_policy import OffPolicyConfig
from trafficrl.errors import CheckpointError, ConfigError
from trafficrl.runs.paths import RunPaths
from trafficrl.training.checkpoints import load_checkpoint
from trafficrl.training.experience import build_experience
from trafficrl.training.models import load_model, write_model
from trafficrl.training.parts import optimizers, variables
from trafficrl.training.phase_values import MaskedDQN, PhaseValuePolicy
from trafficrl.training.ppo import resume_ppo
from trafficrl.training.shared_policy import NEVER
from trafficrl.training.whole_updates import undone_if_cut

RUN = replace(EXECUTION, total_timesteps=20, checkpoint_freq=3, keep_checkpoints=20, end_time=180)
EVERY_KIND = pytest.mark.parametrize("algorithm", KINDS.values(), ids=KINDS)


def end_of(folder: Path, algorithm: OffPolicyConfig, begun: Path | None = None) -> RunPaths:
    """A training from its start, or from a checkpoint of another one."""
    folder.mkdir()
    checkpoint = None if begun is None else load_checkpoint(begun)
    with off_policy_learner(folder, algorithm, RUN) as model:
        trainer_of(model, folder, algorithm, RUN).run(checkpoint)
    return RunPaths(folder)


@pytest.mark.parametrize(
    "algorithm",
    [TD3, pytest.param(SAC, marks=pytest.mark.slow), DQN],  # SAC does as TD3 does
    ids=KINDS,
)
def test_going_on_from_any_checkpoint_ends_the_same(
    tmp_path: Path, algorithm: OffPolicyConfig
) -> None:
    whole = end_of(tmp_path / "whole", algorithm)
    # Before anything was learned; amid the steps to an update; with a memory that has forgotten.
    for steps in (3, 6, 9):
        paths = end_of(tmp_path / f"from-{steps}", algorithm, whole.checkpoint(steps))
        assert_equal_runs(paths, whole)
        first, second = (load_checkpoint(run.checkpoint(20)) for run in (whole, paths))
        assert equal_states(first.tensors, second.tensors)
        assert first.plain == second.plain
    model = load_model(whole.final_model)
    assert not equal_states(model.policy_state, load_model(whole.checkpoint(3)).policy_state)


@EVERY_KIND
def test_a_checkpoint_holds_what_follows_once(tmp_path: Path, algorithm: OffPolicyConfig) -> None:
    endless = replace(algorithm, buffer_size=40)
    with off_policy_learner(tmp_path, endless, replace(EXECUTION, end_time=180)) as model:
        model._setup_learn(1)
        experience = build_experience(model, endless)
        for _ in range(20):
            experience.step()
        plain, captured = experience.capture()
        tensors = {name: value.clone() for name, value in captured.items()}
        episodes = -(-20 // round(180 / endless.action.decision_s))
        assert len(tensors["replay.others"]) == episodes * model.n_envs  # its end, or the newest
        assert model.replay_buffer is not None
        before = {name: np.copy(value) for name, value in arrays_of(model.replay_buffer).items()}
        for value in arrays_of(model.replay_buffer).values():
            value[:] = 7
        model.replay_buffer.reset()
        experience.restore(plain, tensors)
        for name, value in arrays_of(model.replay_buffer).items():
            assert np.array_equal(before[name][:20], value[:20]), name
        with pytest.raises(CheckpointError, match=r"actions have the shape .*, not "):
            experience.restore(plain, {**tensors, "replay.actions": torch.zeros(20, 1, 99)})


def arrays_of(buffer: Any) -> Mapping[str, Any]:
    return {name: value for name, value in vars(buffer).items() if isinstance(value, np.ndarray)}


@EVERY_KIND
def test_nothing_is_learned_before_enough_is_remembered(
    tmp_path: Path, algorithm: OffPolicyConfig
) -> None:
    with off_policy_learner(tmp_path, algorithm, RUN) as model:
        trainer_of(model, tmp_path, algorithm, replace(RUN, total_timesteps=4)).run()
        assert model._n_updates == 0
    with off_policy_learner(tmp_path, algorithm, RUN) as model:
        trainer_of(model, tmp_path, algorithm, replace(RUN, total_timesteps=8)).run()
        assert model._n_updates == 4  # as many as decisions since
        few = replace(algorithm, gradient_steps=1)
        build_experience(model, few).learn()
        assert model._n_updates == 5


@EVERY_KIND
def test_an_update_that_is_cut_is_undone(tmp_path: Path, algorithm: OffPolicyConfig) -> None:
    with off_policy_learner(tmp_path, algorithm, RUN) as model:
        trainer_of(model, tmp_path, algorithm, replace(RUN, total_timesteps=8)).run()

        def learned() -> str:
            states = {name: one.state_dict() for name, one in optimizers(model).items()}
            return str((model.policy.state_dict(), states, variables(model), model._n_updates))

        before, experience = learned(), build_experience(model, algorithm)
        with pytest.raises(KeyboardInterrupt), undone_if_cut(model):  # noqa: PT012 - amid it
            experience.learn()
            assert learned() != before
            raise KeyboardInterrupt
        assert learned() == before


def test_a_memory_that_is_read_when_an_update_is_cut_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where several steps are drawn at once, Stable-Baselines3 writes to the newest meanwhile."""
    with off_policy_learner(tmp_path, DQN, RUN) as model:
        trainer_of(model, tmp_path, DQN, replace(RUN, total_timesteps=8)).run()
        buffer = model.replay_buffer
        assert buffer is not None
        before, amid = buffer.timeouts.copy(), []

        def cut(*rewards: Any) -> Any:
            amid.append(not np.array_equal(buffer.timeouts, before))
            raise KeyboardInterrupt

        monkeypatch.setattr(buffer, "_normalize_reward", cut)
        with pytest.raises(KeyboardInterrupt), undone_if_cut(model):
            build_experience(model, DQN).learn()
        assert amid == [True]
        assert np.array_equal(buffer.timeouts, before)


@EVERY_KIND
def test_the_model_comes_back_and_acts_the_same(tmp_path: Path, algorithm: OffPolicyConfig) -> None:
    file = tmp_path / "model.zip"
    with off_policy_learner(tmp_path, algorithm, RUN) as model:
        trainer_of(model, tmp_path, algorithm, RUN).run()
        write_model(model, file, algorithm=algorithm, network=city())
        seen = np.asarray(model._last_obs)
        expected, _ = model.predict(seen, deterministic=True)
        loaded = load_model(file)
        assert loaded.timesteps == 20
        raw = model._last_original_obs if algorithm.scales_observation else seen
        assert np.array_equal(loaded.act(np.asarray(raw)), expected)
        assert loaded.policy_state.keys() == model.policy.state_dict().keys()
    with off_policy_learner(tmp_path, algorithm, RUN, seed=2) as other:
        assert not equal_states(other.policy.state_dict(), loaded.policy_state)
        resume_ppo(other, loaded, algorithm, city())
        assert equal_states(other.policy.state_dict(), loaded.policy_state)
        states = {name: one.state_dict() for name, one in optimizers(other).items()}
        assert str(states) == str(loaded.optimizer_states)
        assert str(dict(variables(other))).replace(", requires_grad=True", "") == str(
            loaded.variables
        )


def test_a_first_policy_explores_as_widely_as_it_is_told(tmp_path: Path) -> None:
    spread = []
    for log_std in (0.0, -2.0):
        with off_policy_learner(tmp_path, replace(SAC, log_std_init=log_std)) as model:
            model._setup_learn(1)
            seen = np.repeat(np.asarray(model._last_obs), 500, axis=0)
            spread.append(model.predict(seen)[0].std(axis=0).mean())
    # Of a normal variable in half the range, which is 10; the tanh of a wide one is narrower.
    assert spread[1] == pytest.approx(10 * np.exp(-2), rel=0.15)
    assert 5 < spread[0] < 10


def test_stable_baselines_reads_the_model(tmp_path: Path) -> None:
    with off_policy_learner(tmp_path, SAC) as model:
        model._setup_learn(1)
        write_model(model, tmp_path / "model.zip", algorithm=SAC, network=city())
        seen = np.asarray(model._last_obs)
        expected, _ = model.predict(seen, deterministic=True)
    plain = PLAIN_SAC.load(tmp_path / "model.zip", device="cpu")
    assert np.array_equal(plain.predict(seen, deterministic=True)[0], expected)


@pytest.mark.parametrize("lost", ["actor.optimizer.pth", "pytorch_variables.pth"])
def test_a_model_without_a_part_of_it_is_refused(tmp_path: Path, lost: str) -> None:
    file = tmp_path / "model.zip"
    with off_policy_learner(tmp_path, SAC) as model:
        write_model(model, file, algorithm=SAC, network=city())
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if name != lost}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(CheckpointError, match=rf"the model is damaged: .*{lost}"):
        load_model(file)


def test_a_model_of_another_kind_is_not_gone_on_from(tmp_path: Path) -> None:
    with off_policy_learner(tmp_path, TD3) as model:
        write_model(model, tmp_path / "model.zip", algorithm=TD3, network=city())
    with off_policy_learner(tmp_path, SAC) as model:
        expected = re.escape("algorithm.kind was td3, now it is sac")
        with pytest.raises(CheckpointError, match=expected):
            resume_ppo(model, load_model(tmp_path / "model.zip"), SAC, city())


def test_a_memory_smaller_than_a_step_is_refused(tmp_path: Path) -> None:
    two = replace(EXECUTION, single_env=False, parallel_envs=2)
    small = replace(TD3, buffer_size=1, learning_starts=0)
    with (
        pytest.raises(ConfigError, match=r"buffer_size must be >= the number of .* = 2, got 1"),
        off_policy_learner(tmp_path, small, two),
    ):
        pass


def test_signals_explore_by_themselves_among_what_may_be_chosen(tmp_path: Path) -> None:
    with off_policy_learner(tmp_path, DQN) as model:
        assert isinstance(model, MaskedDQN)
        assert isinstance(model.policy, PhaseValuePolicy)
        rows = rows_of(model, 40)
        mask = model.policy.may_be_chosen(rows)
        best, _ = model.predict(rows, deterministic=True)
        taken = np.take_along_axis(mask, best[:, None], axis=1)
        assert taken.all()
        model.exploration_rate = 1.0
        found = np.stack([model.predict(rows)[0] for _ in range(200)])
        chances = np.stack([(found == phase).mean(axis=0) for phase in range(mask.shape[1])], 1)
        assert (chances[~mask] == 0).all()
        even = mask / mask.sum(axis=1, keepdims=True)
        assert np.abs(chances - even)[mask].max() < 0.2
        model.exploration_rate = 0.5
        other = np.stack([model.predict(rows)[0] for _ in range(200)]) != best
        assert 0.1 < other.mean() < 0.5
        chosen = mask.sum(axis=1) > 1
        assert not other[:, ~chosen].any()
        some = other[:, chosen].any(axis=1) & ~other[:, chosen].all(axis=1)
        assert some.mean() > 0.9  # not all at once


def test_the_target_counts_only_what_may_be_chosen(tmp_path: Path) -> None:
    with off_policy_learner(tmp_path, DQN) as model:
        assert isinstance(model, MaskedDQN)
        assert isinstance(model.policy, PhaseValuePolicy)
        rows = rows_of(model, 40)
        mask = torch.as_tensor(model.policy.may_be_chosen(rows))
        values = model.q_net_target(torch.as_tensor(rows))
        assert (values[~mask] == NEVER).all()
        assert (values[mask].abs() < 100).all()
        free = torch.as_tensor(rows).clone()
        free[:, :6] = free[:, 6:12]  # nothing but the mask changes
        assert torch.allclose(model.q_net_target(free)[mask], values[mask], atol=1e-6)
        assert model.q_net_target(free).max(1).values.mean() > values.max(1).values.mean()


def rows_of(model: MaskedDQN, steps: int) -> np.ndarray[Any, Any]:
    """Rows of signals, some of which have no choice."""
    model.exploration_rate = 1.0
    model._setup_learn(1)
    experience = build_experience(model, replace(DQN, n_steps=steps))
    for _ in range(steps // model.n_envs + 2):
        experience.step()
    assert model.replay_buffer is not None
    found: np.ndarray[Any, Any] = model.replay_buffer.observations.reshape(-1, 6 * 17 + 6)
    return found[(found[:, 6:12] > 0).any(axis=1)]


def test_the_pay_of_several_decisions_is_summed(tmp_path: Path) -> None:
    patient = replace(DQN, return_steps=3, buffer_size=40)
    with off_policy_learner(tmp_path, patient, replace(RUN, end_time=180)) as model:
        model._setup_learn(1)
        experience = build_experience(model, patient)
        for _ in range(20):
            experience.step()
        buffer = model.replay_buffer
        assert buffer is not None
        assert not buffer.dones[4:7].any()
        drawn = buffer._get_samples(np.full(50, 4))
        paid = buffer.rewards[4] + 0.9 * buffer.rewards[5] + 0.9**2 * buffer.rewards[6]
        assert np.ptp(paid) > 0.01
        off = np.abs(drawn.rewards.numpy() - paid)  # (50, environments)
        assert off.min(axis=1).max() < 1e-5
        assert drawn.discounts is not None
        assert drawn.discounts.flatten().tolist() == pytest.approx([0.9**3] * 50)
        following = {row.tobytes() for row in buffer.next_observations[6]}
        assert {row.tobytes() for row in drawn.next_observations.numpy()} <= following


def test_the_target_follows_by_gradient_steps(tmp_path: Path) -> None:
    with off_policy_learner(tmp_path, DQN, RUN) as model:
        assert isinstance(model, MaskedDQN)
        trainer_of(model, tmp_path, DQN, replace(RUN, total_timesteps=8)).run()

        def follows() -> bool:
            return equal_states(model.q_net.state_dict(), model.q_net_target.state_dict())

        for updates, equal in ((4, False), (5, False), (6, True), (7, False)):
            assert model._n_updates == updates
            assert follows() is equal or updates == 4
            model.train(1, 4)


def test_exploration_falls_while_it_learns(tmp_path: Path) -> None:
    falling, eight = replace(DQN, exploration_fraction=1.0), replace(RUN, total_timesteps=8)
    with off_policy_learner(tmp_path, falling, eight) as model:
        trainer_of(model, tmp_path, falling, eight).run()
    with RunPaths(tmp_path).metrics.open(newline="", encoding="utf-8") as stream:
        rates = [float(row["train/exploration_rate"]) for row in csv.DictReader(stream)]
    assert rates == pytest.approx([1.0, 0.55])  # as it was when the steps to the update began
