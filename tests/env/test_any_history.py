"""An episode is the same whatever its process has done before."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256

import numpy as np
import pytest
from cologne_cases import cologne_task

from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv

DECISIONS = 80
"""What the addresses of SUMO's objects decide shows after 70."""


@pytest.fixture(scope="module")
def cologne() -> Task:
    return cologne_task(end_s=3600.0)


def digests(task: Task, stirs: list[bool]) -> list[str]:
    """Of the first episode, as often as there are entries: whether memory is stirred before."""
    env = TrafficSignalEnv(task, seed=1)
    found = []
    rng = np.random.default_rng(1)
    for stir in stirs:
        sizes = rng.integers(600, 5000, 20_000 if stir else 0)
        kept = [bytes(int(size)) for size in sizes][::3]
        observation, _ = env.reset(options={"episode": 0})
        digest = sha256(observation.tobytes())
        env.action_space.seed(1)
        for _ in range(DECISIONS):
            observation, reward, *_ = env.step(env.action_space.sample())
            digest.update(observation.tobytes() + repr(reward).encode())
        found.append(digest.hexdigest())
        del kept
    env.close()
    return found


def in_fresh_process(function: Callable[..., list[str]], *arguments: object) -> list[str]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def test_an_episode_does_not_depend_on_what_ran_before(cologne: Task) -> None:
    (expected,) = in_fresh_process(digests, cologne, [False])
    assert digests(cologne, [True] * 8) == [expected] * 8


@pytest.mark.slow
def test_nor_does_it_in_any_of_many(cologne: Task) -> None:
    (expected,) = in_fresh_process(digests, cologne, [False])
    for stir in (False, True):
        assert set(in_fresh_process(digests, cologne, [stir] * 40)) == {expected}
