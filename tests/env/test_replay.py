"""A replayed environment goes on bit for bit as the one that was never cut."""

from typing import Any

import numpy as np
import pytest
import traffic_cases as cases
from env_cases import environment

from trafficrl.config.algorithm import ActionConfig
from trafficrl.config.execution import Backend
from trafficrl.env.traffic_env import TrafficSignalEnv

Row = tuple[bytes, float, bool, bytes]
"""Observation, reward, whether the episode ends, and what it paid for."""


def actions_of(env: TrafficSignalEnv, count: int) -> list[Any]:
    rng = np.random.default_rng(4)
    space = env.action_space
    return [rng.uniform(0, 3, space.shape).astype(space.dtype) for _ in range(count)]


def take(env: TrafficSignalEnv, actions: list[Any]) -> list[Row]:
    rows = []
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        terms = np.array(list(info["reward_terms"].values())).tobytes()
        rows.append((observation.tobytes(), reward, terminated or truncated, terms))
        if terminated or truncated:
            rows.append((env.reset()[0].tobytes(), 0.0, False, b""))
    return rows


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize(
    "action", [cases.NEXT_PHASE, cases.DURATIONS], ids=["next_phase", "phase_durations"]
)
def test_a_replayed_environment_goes_on_as_if_it_had_never_been_cut(
    action: ActionConfig, backend: Backend
) -> None:
    changes: dict[str, Any] = {"action": action, "backend": backend, "end_s": 180.0, "slot": 1}
    with environment(seed=1, slots=2, **changes) as env:
        env.reset(seed=5)
        env.reset()
        actions = actions_of(env, 24 if action is cases.NEXT_PHASE else 5)
        cut = len(actions) // 3
        before = take(env, actions[:cut])
        after = take(env, actions[cut:])
    assert any(over for _, _, over, _ in after), "it goes on into the episodes after"
    with environment(seed=2, slots=2, **changes) as env:  # a seed of its own decides nothing
        env.reset()
        observation = env.replay(1, actions[:cut], seed=5)
        assert observation.tobytes() == before[-1][0]
        assert take(env, actions[cut:]) == after


def test_without_a_seed_the_sequence_that_runs_is_replayed() -> None:
    with environment(seed=5) as env:
        first = env.reset()[0].tobytes()
        rows = take(env, actions_of(env, 3))
        env.reset()
        assert env.replay(0, []).tobytes() == first
        assert take(env, actions_of(env, 3)) == rows
        others = [env.replay(episode, actions_of(env, 3)).tobytes() for episode in range(3)]
    assert others[0] == rows[-1][0]
    assert len(set(others)) == 3


def test_a_reset_says_what_would_run_it_again() -> None:
    with environment() as env:
        _, info = env.reset()
        assert env._running is not None
        seed = env._running.session._options.seed
        assert info["sumo_command"].startswith("sumo --net-file ")
        assert f"--seed {seed} " in info["sumo_command"]
        assert info["time_s"] == 0.0
        assert env.step(np.zeros(9, dtype=np.int64))[4]["time_s"] == 10.0
