"""Signals as environments of the learner, on real networks side by side."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learning_cases import EXECUTION
from shared_cases import SHARED, shared_task
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs
from traffic_cases import city, scenario_config
from worker_cases import EXECUTION as PARALLEL
from worker_cases import serving

from trafficrl.config.execution import ExecutionConfig, OnCrash
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.training.processes import ProcessVecEnv, inner_environments
from trafficrl.training.vector import build_vector_env

Rows = np.ndarray[Any, Any]
SIGNALS = len(city().signals)
STEPS = round(EXECUTION.end_time / 5)


def vector(folder: Path, execution: ExecutionConfig, *, normalize_reward: bool = False) -> VecEnv:
    algorithm = replace(SHARED, normalize_reward=normalize_reward)
    return build_vector_env(task(execution), algorithm, execution, seed=1, folder=folder / "work")


def task(execution: ExecutionConfig) -> Task:
    scenarios = {"light": scenario_config(num_vehicles=60)}
    return shared_task(end_s=execution.end_time, scenarios=scenarios)


def rows_of(observations: VecEnvObs) -> Rows:
    assert isinstance(observations, np.ndarray)
    return observations


def choices(rows: Rows, rng: np.random.Generator) -> Rows:
    """One of the phases that may be chosen, for each row."""
    chosen: Rows = (rows[:, :6] * rng.random((len(rows), 6))).argmax(1)
    return chosen


@pytest.mark.parametrize("execution", [EXECUTION, PARALLEL], ids=["here", "processes"])
def test_rows_and_rewards_are_those_of_the_networks(
    tmp_path: Path, execution: ExecutionConfig
) -> None:
    slots = 1 if execution.single_env else 2
    environments, rng = vector(tmp_path, execution), np.random.default_rng(0)
    try:
        assert environments.num_envs == slots * SIGNALS
        assert inner_environments(environments).num_envs == slots
        seen, actions, paid = [rows_of(environments.reset())], [], []
        for step in range(1, STEPS + 1):
            actions.append(choices(seen[-1], rng))
            found, rewards, dones, infos = environments.step(actions[-1])
            seen.append(rows_of(found))
            paid.append(rewards)
            assert dones.tolist() == [step == STEPS] * (slots * SIGNALS)
            assert len(infos) == slots * SIGNALS
    finally:
        environments.close()
    assert np.min(paid) < 0
    seen[-1] = np.stack([info["terminal_observation"] for info in infos])
    assert all(info["TimeLimit.truncated"] for info in infos)
    told = [number for number, info in enumerate(infos) if "reward_terms" in info]
    assert told == [slot * SIGNALS for slot in range(slots)]
    assert infos[0]["episode"]["l"] == STEPS
    for slot in range(slots):
        part = slice(slot * SIGNALS, (slot + 1) * SIGNALS)
        env = TrafficSignalEnv(task(execution), seed=1, slot=slot, slots=slots, folder=tmp_path)
        try:
            assert np.array_equal(seen[0][part], env.reset()[0])
            for step in range(STEPS):
                rows, reward, _, _, info = env.step(actions[step][part])
                assert np.array_equal(seen[step + 1][part], rows)
                assert np.array_equal(paid[step][part], info["signal_rewards"].astype(np.float32))
                assert reward == pytest.approx(info["signal_rewards"].mean())
        finally:
            env.close()


def test_a_crash_pays_nothing_and_ends_the_episode_of_all_its_signals(tmp_path: Path) -> None:
    environments = vector(tmp_path, replace(PARALLEL, on_crash=OnCrash.drop))
    try:
        seen, rng = rows_of(environments.reset()), np.random.default_rng(0)
        for _ in range(6):
            seen = rows_of(environments.step(choices(seen, rng))[0])
        inner = inner_environments(environments)
        assert isinstance(inner, ProcessVecEnv)
        serving(inner.process_ids[1]).kill()
        _, rewards, dones, infos = environments.step(choices(seen, rng))
        assert dones.tolist() == [False] * SIGNALS + [True] * SIGNALS
        assert (rewards[SIGNALS:] == 0).all()
        assert "crash" in infos[SIGNALS]
        last = np.stack([info["terminal_observation"] for info in infos[SIGNALS:]])
        assert np.array_equal(last, seen[SIGNALS:])
    finally:
        environments.close()


def test_each_signal_has_a_return_of_its_own_to_be_scaled_by(tmp_path: Path) -> None:
    environments = vector(tmp_path, EXECUTION, normalize_reward=True)
    try:
        seen, rng = rows_of(environments.reset()), np.random.default_rng(0)
        for _ in range(STEPS - 1):
            seen = rows_of(environments.step(choices(seen, rng))[0])
        returns = environments.returns  # type: ignore[attr-defined]
        assert returns.shape == (SIGNALS,)
        assert len(set(returns.tolist())) > 1
    finally:
        environments.close()
