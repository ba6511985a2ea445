"""An environment and a whole episode of it, without any learning library."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import traffic_cases as cases

from trafficrl.env.traffic_env import TrafficSignalEnv

Trace = list[tuple[list[float], float, str]]


@contextmanager
def environment(*, seed: int = 1, **changes: Any) -> Iterator[TrafficSignalEnv]:
    slots = {name: changes.pop(name) for name in ("slot", "slots", "folder") if name in changes}
    env = TrafficSignalEnv(cases.task(**changes), seed=seed, **slots)
    try:
        yield env
    finally:
        env.close()


def episode(env: TrafficSignalEnv, *, seed: int | None = None) -> Trace:
    """Observation, reward and scenario of each decision; the actions are always the same."""
    rng = np.random.default_rng(0)
    observation, info = env.reset(seed=seed)
    trace: Trace = [(observation.tolist(), 0.0, info["scenario"])]
    over = False
    while not over:
        numbers = rng.uniform(0, 3, env.action_space.shape)
        observation, reward, terminated, truncated, info = env.step(
            numbers.astype(env.action_space.dtype)
        )
        trace.append((observation.tolist(), reward, info["scenario"]))
        over = terminated or truncated
    return trace
