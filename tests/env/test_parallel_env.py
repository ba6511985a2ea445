"""Every signal as an agent, with real SUMO."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pettingzoo.test.parallel_test import parallel_api_test
from pettingzoo.test.seed_test import parallel_seed_test
from shared_cases import shared_task
from traffic_cases import DURATIONS, NEXT_PHASE, city, task

from trafficrl.config.algorithm import PhaseOrder
from trafficrl.config.execution import Backend
from trafficrl.env.parallel_env import SignalsParallelEnv
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError

SIZES = {signal.id: len(signal.phases) for signal in city().signals}


@contextmanager
def agents(**changes: Any) -> Iterator[SignalsParallelEnv]:
    env = SignalsParallelEnv(shared_task(**changes), seed=1)
    try:
        yield env
    finally:
        env.close()


def test_pettingzoo_finds_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    with agents() as env, warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(env, num_cycles=30)
    assert "Passed" in capsys.readouterr().out


def test_equal_seeds_are_equal_episodes() -> None:
    # PettingZoo steps two environments in turn, and one process has room for one libsumo.
    parallel_seed_test(  # type: ignore[no-untyped-call]
        lambda: SignalsParallelEnv(shared_task(backend=Backend.traci), seed=1), num_cycles=6
    )


def test_agents_live_what_the_network_lives(tmp_path: Path) -> None:
    whole = TrafficSignalEnv(shared_task(), seed=1, folder=tmp_path)
    rng = np.random.default_rng(0)
    chosen: list[Any] = []
    lived: list[Any] = []
    with agents() as env:
        observations, infos = env.reset()
        lived.append(env.state())
        assert env.agents == env.possible_agents == list(SIZES)
        while env.agents:
            actions = {agent: int(rng.integers(SIZES[agent])) for agent in env.agents}
            chosen.append((list(actions.values()), env.agents))
            observations, rewards, terminations, truncations, infos = env.step(actions)
            lived.append((env.state(), list(rewards.values()), terminations, truncations, infos))
            for agent, row in zip(SIZES, env.state(), strict=True):
                seen = observations[agent]
                assert env.observation_space(agent).contains(seen)
                assert np.array_equal(seen["observation"], row)
                assert np.array_equal(seen["action_mask"], row[: SIZES[agent]])
                assert infos[agent]["action_mask"] is seen["action_mask"]
    rows, _ = whole.reset()
    assert np.array_equal(lived[0], rows)
    for (phases, names), found in zip(chosen, lived[1:], strict=True):
        rows, reward, terminated, truncated, info = whole.step(np.array(phases))
        state, rewards, terminations, truncations, infos = found
        assert np.array_equal(state, rows)
        assert rewards == info["signal_rewards"].tolist()
        assert np.mean(rewards) == pytest.approx(reward)
        assert terminations == dict.fromkeys(names, terminated)
        assert truncations == dict.fromkeys(names, truncated)
        assert infos[names[0]]["time_s"] == info["time_s"]
    assert truncated
    assert "traffic" in infos[names[-1]]
    whole.close()


def test_a_mask_leaves_out_what_the_driver_would_refuse() -> None:
    with agents(action=replace(NEXT_PHASE, interval_s=3)) as env:
        observations, _ = env.reset()
        first = env.possible_agents[0]
        assert observations[first]["action_mask"].tolist() == [1] * SIZES[first]
        observations, *_ = env.step(dict.fromkeys(env.agents, 1))
        # In the clearance and the minimum green after it there is no choice.
        assert observations[first]["action_mask"].tolist() == [0, 1] + [0] * (SIZES[first] - 2)
        assert env.action_space(first).sample(observations[first]["action_mask"]) == 1


def test_a_phase_out_of_order_is_not_shown() -> None:
    refused = taken = 0
    with agents(action=replace(NEXT_PHASE, interval_s=5, order=PhaseOrder.cycle)) as env:
        observations, _ = env.reset()
        for _ in range(12):
            masks = [observations[agent]["action_mask"] for agent in env.agents]
            free = np.array([mask.sum() > 1 for mask in masks])
            # Where there is a choice, every other time a phase that is no part of it.
            out = free & (np.arange(len(free)) % 2 == 0)
            phases = np.where(
                out, [m.argmin() for m in masks], [np.flatnonzero(m)[-1] for m in masks]
            )
            shown = phase_of(env)
            asked = dict(zip(env.agents, phases.tolist(), strict=True))
            observations, *_ = env.step(asked)
            assert np.array_equal(phase_of(env), np.where(out, shown, phases))
            refused += int(out.sum())
            taken += int((~out & (phases != shown)).sum())
    assert refused > 5
    assert taken > 5


def phase_of(env: SignalsParallelEnv) -> Any:
    state = env._env._state
    assert state is not None
    return state.phase.copy()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda actions: actions | {"Z9": 0}, "actions of agents that are not there: Z9"),
        (
            lambda actions: dict(list(actions.items())[1:]),
            f"no action of agent {next(iter(SIZES))}",
        ),
        (
            lambda actions: actions | {next(iter(SIZES)): 7},
            f"agent {next(iter(SIZES))} has phases 0 to .*, got 7",
        ),
    ],
)
def test_wrong_actions_name_their_agent(change: Any, message: str) -> None:
    with agents() as env:
        env.reset()
        with pytest.raises(ValueError, match=message):
            env.step(change(dict.fromkeys(env.agents, 0)))


def test_a_task_without_agents_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"algorithm=ppo_shared"):
        SignalsParallelEnv(task(), seed=1)
    with pytest.raises(ConfigError, match=r"algorithm\.action\.kind=next_phase, got phase_dur"):
        SignalsParallelEnv(shared_task(action=DURATIONS), seed=1)
