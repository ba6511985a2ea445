"""A policy that has cloned a controller does what that does."""

import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learning_cases import EXECUTION, equal_states, learner
from shared_cases import CENTRAL_VALUE, PAID, SHARED
from stable_baselines3 import PPO
from teaching_cases import (
    CYCLES,
    FRESH,
    choosing_task,
    cycle_task,
    demonstrated,
    saved,
    unsafe_city,
)
from traffic_cases import scratch

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.teachers import CloningConfig
from trafficrl.env.classical import build_classical
from trafficrl.env.demonstrations import load_demonstrations, save_demonstrations
from trafficrl.env.episodes import TrainingEpisodes
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import Measure
from trafficrl.runs.seeding import stream
from trafficrl.training.cloning import Cloner, Imitation, clone_policy
from trafficrl.training.cloning_rows import Rows, discounted, load_rows
from trafficrl.training.models import write_model
from trafficrl.training.teachers import build_learned


@cache
def plan_file() -> Path:
    """Two episodes of the fixed plan, as greens of a cycle without clearance."""
    task = cycle_task(network=unsafe_city())
    found = demonstrated("fixed", task, scratch())
    return saved(found, CYCLES, task, scratch() / "plan.npz")


@cache
def choices_file() -> Path:
    """Four episodes of max_pressure, signal by signal."""
    task = choosing_task()
    found = demonstrated("max_pressure", task, scratch(), episodes=4)
    return saved(found, SHARED, task, scratch() / "choices.npz")


def with_file(algorithm: CommonPPOConfig, file: Path, **changes: Any) -> CommonPPOConfig:
    values: dict[str, Any] = {
        "demonstrations": [str(file)],
        "batch_size": 64,
        "learning_rate": 3e-3,
    }
    return replace(algorithm, cloning=CloningConfig(**(values | changes)))


def clone(model: PPO, algorithm: CommonPPOConfig, task: Task) -> tuple[Rows, Imitation]:
    rows = load_rows(algorithm, task, model.get_vec_normalize_env())
    return rows, clone_policy(model, rows, algorithm, task, stream(1, "cloning"))


def test_the_clone_of_the_fixed_plan_is_the_fixed_plan(tmp_path: Path) -> None:
    algorithm = with_file(CYCLES, plan_file(), epochs=60, learning_rate=1e-2)
    task = cycle_task(network=unsafe_city())
    execution = replace(EXECUTION, end_time=270.0)
    network: dict[str, Any] = {"network": unsafe_city(), "scenarios": FRESH}
    with learner(tmp_path, algorithm, execution, **network) as model:
        rows = load_rows(algorithm, task, None)
        before = Cloner(model, algorithm.cloning, task).judge(rows)
        _, found = clone(model, algorithm, task)
        write_model(model, tmp_path / "clone.zip", algorithm=algorithm, network=task.network)
    assert before.agreement < 1.0
    assert found.agreement == 1.0
    unseen = TrainingEpisodes(task.scenarios, seed=9, slot=0, slots=1).episode(0)
    delays = [
        run_episode(task, unseen, controller, tmp_path, Measure(emissions=False)).metrics.delay_s
        for controller in (
            build_learned(tmp_path / "clone.zip", task),
            build_classical("fixed", task),
        )
    ]
    assert delays[0] == delays[1] > 0


def test_a_shared_policy_learns_to_choose_as_max_pressure_does(tmp_path: Path) -> None:
    task, algorithm = choosing_task(), with_file(SHARED, choices_file(), epochs=12)
    algorithm = replace(algorithm, normalize_reward=True, net_arch=[32, 32])
    with learner(tmp_path, algorithm, reward=task.reward) as model:
        optimizer = model.policy.optimizer.state_dict()
        generator = torch.get_rng_state()
        rows, found = clone(model, algorithm, task)
        assert found.agreement > 0.93
        assert model.policy.optimizer.state_dict() == optimizer
        assert torch.equal(torch.get_rng_state(), generator)
        free = rows.take(np.flatnonzero(rows.choice))
        assert 0 < len(free) < len(rows)
        seen = torch.as_tensor(free.observations)
        with torch.no_grad():
            values = model.policy.predict_values(seen)[:, 0].numpy()
        assert np.corrcoef(values, free.returns)[0, 1] > 0.8


def test_cloning_again_comes_to_the_same_weights(tmp_path: Path) -> None:
    task, algorithm = choosing_task(), with_file(SHARED, choices_file(), epochs=2)
    states = []
    for _ in range(2):
        with learner(tmp_path, algorithm, reward=task.reward) as model:
            before = {name: value.clone() for name, value in model.policy.state_dict().items()}
            clone(model, algorithm, task)
            states.append(model.policy.state_dict())
    assert equal_states(*states)
    assert not equal_states(before, states[0])


def test_whole_episodes_are_held_out(tmp_path: Path) -> None:
    rows = load_rows(with_file(SHARED, choices_file()), choosing_task(), None)
    learned, held_out = rows.split(0.3, np.random.default_rng(0))
    assert len(np.unique(held_out.episodes)) == 1
    assert len(np.unique(learned.episodes)) == 3
    assert set(learned.episodes) & set(held_out.episodes) == set()
    with pytest.raises(ConfigError, match="hold one episode"):
        held_out.split(0.3, np.random.default_rng(0))


def test_returns_are_discounted_within_an_episode() -> None:
    sums = discounted(np.array([[1.0, 0.0], [1.0, 2.0], [1.0, 0.0]]), 0.5)
    assert sums.tolist() == [[1.0, 0.0], [1.5, 2.0], [1.75, 1.0]]
    found = load_demonstrations(choices_file())
    rows = load_rows(with_file(SHARED, choices_file()), choosing_task(), None)
    returns = rows.returns.reshape(found.rewards.shape)
    last = np.append(np.diff(found.episodes) != 0, True)
    assert last.sum() == 4
    assert np.array_equal(returns[last], found.rewards[last])
    following = np.flatnonzero(~last) + 1
    expected = found.rewards[~last] + SHARED.gamma * returns[following]
    assert np.allclose(returns[~last], expected)


def test_demonstrations_of_something_else_are_refused(tmp_path: Path) -> None:
    task, file = choosing_task(), choices_file()
    wider = replace(SHARED, observation=replace(SHARED.observation, reach_m=100.0))
    with pytest.raises(ConfigError, match=r"observation\.reach_m was 300.0, now it is 100.0"):
        load_rows(with_file(wider, file), task, None)
    other = replace(task, reward=replace(PAID, neighbour_share=0.0))
    with pytest.raises(ConfigError, match=r"reward was .*value_coef=0"):
        load_rows(with_file(SHARED, file), other, None)
    assert len(load_rows(with_file(SHARED, file, value_coef=0.0), other, None)) > 0
    with pytest.raises(ConfigError, match="network was"):
        load_rows(with_file(CYCLES, plan_file()), cycle_task(), None)


def test_demonstrations_from_before_there_was_a_key_hold(tmp_path: Path) -> None:
    found = load_demonstrations(choices_file())
    del found.facts["observation"]["value_features"]
    save_demonstrations(tmp_path / "older.npz", found)
    older = with_file(SHARED, tmp_path / "older.npz")
    assert len(load_rows(older, choosing_task(), None)) == len(found.rewards) * 9
    central = replace(older, observation=CENTRAL_VALUE)
    with pytest.raises(ConfigError, match=r"value_features was \[\], now it is \['network_queue'"):
        load_rows(central, choosing_task(), None)


def test_no_demonstration_holds_a_pickle() -> None:
    with zipfile.ZipFile(choices_file()) as archive:
        heads = [archive.read(name)[:128] for name in archive.namelist()]
    assert heads
    assert not [head for head in heads if b"'|O'" in head]
