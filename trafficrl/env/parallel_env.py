"""The same environment for many agents: each signal is one, in PettingZoo's parallel interface.

Shapes: S signals, K features of one signal, n phases of the signal.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from trafficrl.config.algorithm import ActionKind
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError

__all__ = ["SignalsParallelEnv"]

Observation = dict[str, NDArray[Any]]


class SignalsParallelEnv(ParallelEnv[str, Any, Any]):
    """Every signal is an agent, named by its id; all decide at once, and all stay to the end.

    Observation: `{"observation": (K,) float32, "action_mask": (n,) int8}`: the signal's row of
        features, the same K for all, and a 1 for each of its phases that may be chosen now.
        `infos[agent]["action_mask"]` is the same mask, where wrappers look that want a plain
        observation.
    Action: Discrete, the phase that is shown until the next decision. A phase that the mask leaves
        out changes nothing: the signal keeps the one it shows.
    Reward: what the configured terms pay this signal; terms of the whole network pay all the same.
    Episode end: as in `TrafficSignalEnv`, for all signals at once.
    State: `state()` is all rows (S, K), for a value that sees the whole network.

    Raises:
        ConfigError: a task that does not see each signal by itself, or chooses no phases.
        NetworkError: a signal has more phases than its row has room for.

    Example:
        env = SignalsParallelEnv(task, seed=1)
        observations, infos = env.reset()
        while env.agents:
            actions = {
                agent: env.action_space(agent).sample(observations[agent]["action_mask"])
                for agent in env.agents
            }
            observations, rewards, terminations, truncations, infos = env.step(actions)
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - PettingZoo's own attribute
        "name": "traffic_signals_v0",
        "render_modes": [],
        "is_parallelizable": True,
    }
    render_mode: str | None = None

    def __init__(self, task: Task, *, seed: int, folder: Path | None = None) -> None:
        if not isinstance(task.observation, SignalObservationConfig):
            raise ConfigError(
                "agents see their own signal alone: choose an algorithm that does, such as "
                "algorithm=ppo_shared"
            )
        if task.action.kind is not ActionKind.next_phase:
            raise ConfigError(
                "agents choose phases: set algorithm.action.kind=next_phase, got "
                f"{task.action.kind.name}"
            )
        self._env = TrafficSignalEnv(task, seed=seed, folder=folder)
        self._sizes = {signal.id: len(signal.phases) for signal in task.network.signals}
        self._rows: NDArray[np.float32] = np.zeros(0, np.float32)
        space = self._env.observation_space
        assert isinstance(space, spaces.Box)
        row = spaces.Box(float(space.low.min()), float(space.high.max()), space.shape[1:])
        self.possible_agents = list(self._sizes)
        self.agents: list[str] = []
        self.state_space = space
        self.observation_spaces: dict[str, spaces.Space[Any]] = {
            agent: spaces.Dict({"observation": row, "action_mask": spaces.MultiBinary(size)})
            for agent, size in self._sizes.items()
        }
        self.action_spaces: dict[str, spaces.Space[Any]] = {
            agent: spaces.Discrete(size) for agent, size in self._sizes.items()
        }

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What that signal sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The phases of that signal."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """First observations of the next episode; seed and options as in `TrafficSignalEnv`."""
        self._rows, info = self._env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        observations = self._observations()
        return observations, _with_masks(info, observations)

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Observations, rewards, terminations, truncations and infos, by agent.

        Raises:
            ValueError: an agent is missing or unknown, or chose a phase that it does not have.
        """
        agents = self.agents
        phases = np.array([self._phase(agent, actions) for agent in agents], np.int64)
        if len(actions) != len(agents):
            unknown = sorted(set(actions) - set(agents))
            raise ValueError(f"actions of agents that are not there: {', '.join(unknown)}")
        self._rows, _, terminated, truncated, info = self._env.step(phases)
        rewards = info.pop("signal_rewards")
        observations = self._observations()
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            {agent: float(reward) for agent, reward in zip(agents, rewards, strict=True)},
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            _with_masks(info, observations),
        )

    def state(self) -> NDArray[np.float32]:
        """(S, K) what all signals see, in the order of `possible_agents`."""
        return self._rows.copy()

    def close(self) -> None:
        """SUMO has ended and the demand files are gone."""
        self._env.close()

    def _phase(self, agent: str, actions: Mapping[str, int]) -> int:
        if agent not in actions:
            raise ValueError(f"no action of agent {agent}")
        phase = int(actions[agent])
        if not 0 <= phase < self._sizes[agent]:
            raise ValueError(
                f"agent {agent} has phases 0 to {self._sizes[agent] - 1}, got {actions[agent]}"
            )
        return phase

    def _observations(self) -> dict[str, Observation]:
        """A row begins with what may be chosen."""
        return {
            agent: {"observation": row.copy(), "action_mask": row[:size].astype(np.int8)}
            for row, (agent, size) in zip(self._rows, self._sizes.items(), strict=True)
        }


def _with_masks(
    info: dict[str, Any], observations: dict[str, Observation]
) -> dict[str, dict[str, Any]]:
    """What the network tells, and its own mask, for each agent."""
    return {
        agent: info | {"action_mask": seen["action_mask"]} for agent, seen in observations.items()
    }
