"""Every signal of every network as an environment of its own to the learner.

The environments below stay one a SUMO: they are stepped, replayed and counted as a whole.

Shapes: N environments, S signals of each, K features of a signal.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

__all__ = ["SignalVecEnv"]

Info = dict[str, Any]


class SignalVecEnv(VecEnvWrapper):
    """N networks of S signals as N * S environments, network by network.

    What a network tells of a step stands with its first signal.

    Args:
        venv: its environments see (S, K) and pay each signal `info["signal_rewards"]` (S,).
        max_phases: how many actions there are; those that a signal has not are never to be taken.
    """

    def __init__(self, venv: VecEnv, max_phases: int) -> None:
        inner = venv.observation_space
        assert isinstance(inner, spaces.Box)
        self._num_signals, size = inner.shape
        low, high = float(inner.low.min()), float(inner.high.max())
        row = spaces.Box(low, high, (size,), np.float32)
        super().__init__(venv, row, spaces.Discrete(max_phases))
        self.num_envs = venv.num_envs * self._num_signals

    def reset(self) -> VecEnvObs:
        """First rows (N * S, K) of new episodes."""
        return self._rows(self.venv.reset())

    def step_async(self, actions: np.ndarray) -> None:
        """Phases (N * S,) are on their way."""
        self.venv.step_async(actions.reshape(-1, self._num_signals))

    def step_wait(self) -> VecEnvStepReturn:
        """Rows, rewards, ends and infos (N * S,)."""
        observations, _, dones, infos = self.venv.step_wait()
        nothing = np.zeros(self._num_signals)  # a decision amid which its SUMO crashed pays nothing
        rewards = np.concatenate([info.get("signal_rewards", nothing) for info in infos])
        told: list[Info] = []
        for done, info in zip(dones, infos, strict=True):
            told += self._ended(info) if done else [info, *[{}] * (self._num_signals - 1)]
        ends = np.repeat(dones, self._num_signals)
        return self._rows(observations), rewards.astype(np.float32), ends, told

    def _rows(self, observations: VecEnvObs) -> np.ndarray:
        assert isinstance(observations, np.ndarray)
        return observations.reshape(self.num_envs, -1)

    def _ended(self, info: Info) -> list[Info]:
        """Each signal's own end of the episode."""
        cut = info.get("TimeLimit.truncated", False)
        last = info.get("terminal_observation", [None] * self._num_signals)
        ends: list[Info] = [
            {"terminal_observation": row, "TimeLimit.truncated": cut} for row in last
        ]
        ends[0] = info | ends[0]
        return ends
