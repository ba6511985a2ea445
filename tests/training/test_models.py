from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from learning_cases import ALGORITHM, equal_states, learner, other_city
from stable_baselines3 import PPO
from stable_baselines3.common.running_mean_std import RunningMeanStd
from traffic_cases import DURATIONS, city

from trafficrl.config.algorithm import ActionConfig, PolicyKind, PPOConfig
from trafficrl.errors import CheckpointError
from trafficrl.training.models import load_model, write_model
from trafficrl.training.restoring import restore_model

LEARNERS = [
    pytest.param(
        replace(ALGORITHM, policy=policy, action=action, normalize_observation=normalised),
        id=f"{policy.name}-{action.kind.name}-{'normalised' if normalised else 'plain'}",
    )
    for policy, action, normalised in [  # each with each of the others, not all with all
        (PolicyKind.mlp, ALGORITHM.action, False),
        (PolicyKind.mlp, DURATIONS, True),
        (PolicyKind.phase_scores, ALGORITHM.action, True),
        (PolicyKind.phase_scores, DURATIONS, False),
    ]
]


def trained(folder: Path, algorithm: PPOConfig) -> Path:
    with learner(folder, algorithm) as model:
        model.learn(8)
        write_model(model, folder / "model.zip", algorithm=algorithm, network=city())
    return folder / "model.zip"


@pytest.mark.parametrize("algorithm", LEARNERS)
def test_plain_stable_baselines_acts_as_the_loaded_model_does(
    tmp_path: Path, algorithm: PPOConfig
) -> None:
    file = trained(tmp_path, algorithm)
    ours, plain = load_model(file), PPO.load(file, device="cpu")
    rng = np.random.default_rng(5)
    for _ in range(20):
        observation = rng.random(ours.num_features).astype(np.float32)
        seen = ours.normaliser.apply(observation) if ours.normaliser else observation
        expected, _ = plain.predict(seen, deterministic=True)
        assert np.array_equal(ours.act(observation), expected)
    assert (ours.normaliser is not None) == algorithm.normalize_observation


def test_the_normaliser_is_that_of_vecnormalize(tmp_path: Path) -> None:
    algorithm = replace(ALGORITHM, normalize_observation=True)
    with learner(tmp_path, algorithm) as model:
        model.learn(8)
        file = tmp_path / "model.zip"
        write_model(model, file, algorithm=algorithm, network=city())
        environments = model.get_vec_normalize_env()
        assert environments is not None
        loaded = load_model(file)
        assert loaded.normaliser is not None
        observation = np.random.default_rng(1).random(loaded.num_features).astype(np.float32)
        expected = environments.normalize_obs(observation)
        assert isinstance(expected, np.ndarray)
        assert np.array_equal(loaded.normaliser.apply(observation), expected)


def test_a_restored_model_goes_on_with_all_that_the_saved_one_had(tmp_path: Path) -> None:
    algorithm = replace(ALGORITHM, normalize_observation=True, normalize_reward=True)
    file = tmp_path / "model.zip"
    with learner(tmp_path, algorithm) as model:
        model.learn(16)
        write_model(model, file, algorithm=algorithm, network=city())
    with learner(tmp_path, algorithm, seed=9) as other:
        assert not equal_states(other.policy.state_dict(), model.policy.state_dict())
        restore_model(other, load_model(file))
        assert equal_states(other.policy.state_dict(), model.policy.state_dict())
        assert other.num_timesteps == 16
        before, after = (m.policy.optimizer.state_dict()["state"] for m in (model, other))
        assert before.keys() == after.keys()
        assert all(equal_states(before[key], after[key]) for key in before)
        assert next(iter(after.values()))["step"] > 0
        assert statistics(other) == statistics(model)


def statistics(model: PPO) -> list[object]:
    """The running statistics of observations and of returns."""
    environments = model.get_vec_normalize_env()
    assert environments is not None
    of_observations = environments.obs_rms
    assert isinstance(of_observations, RunningMeanStd)
    both = (of_observations, environments.ret_rms)
    return [value for rms in both for value in (rms.mean.tolist(), rms.var.tolist(), rms.count)]


def test_saving_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    with learner(tmp_path) as model:
        for _ in range(2):
            write_model(model, tmp_path / "model.zip", algorithm=ALGORITHM, network=city())
    assert {file.name for file in tmp_path.iterdir()} == {"model.zip", "work"}


def test_the_description_comes_back(tmp_path: Path) -> None:
    algorithm = replace(ALGORITHM, action=ActionConfig(kind=DURATIONS.kind, cycle_s=75))
    loaded = load_model(trained(tmp_path, algorithm))
    assert loaded.algorithm == algorithm
    assert loaded.timesteps == 8
    assert loaded.num_phases == [len(signal.phases) for signal in city().signals]


def test_loading_draws_no_random_numbers(tmp_path: Path) -> None:
    file = trained(tmp_path, ALGORITHM)
    before = torch.get_rng_state()
    load_model(file)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_for_another_network_is_refused_with_both_hashes(tmp_path: Path) -> None:
    loaded = load_model(trained(tmp_path, ALGORITHM))
    loaded.check_fits(city())
    with pytest.raises(CheckpointError) as error:
        loaded.check_fits(other_city())
    assert city().hash[:12] in str(error.value)
    assert other_city().hash[:12] in str(error.value)


def test_a_model_of_another_shape_cannot_be_restored(tmp_path: Path) -> None:
    file = trained(tmp_path, ALGORITHM)
    with (
        learner(tmp_path, replace(ALGORITHM, net_arch=[16])) as model,
        pytest.raises(CheckpointError, match=r"model\.zip: does not fit this run"),
    ):
        restore_model(model, load_model(file))
