"""Demonstrations as the learner takes them in: one row for each action of its policy.

Shapes: D rows, F features of a row, A numbers of an action, T decisions, S signals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecNormalize

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.load import plain_values
from trafficrl.config.shared_policy import SharedPPOConfig
from trafficrl.env.demonstrations import Demonstrations, load_demonstrations
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError

__all__ = ["Rows", "load_rows"]

KEY = "algorithm.cloning"


@dataclass(frozen=True, slots=True)
class Rows:
    """What a policy saw, what the teacher did there, and what came of it."""

    observations: np.ndarray  # (D, F) float32, as the policy is shown them
    actions: np.ndarray  # (D, A)
    returns: np.ndarray  # (D,) discounted, in the scale of the learner's rewards
    choice: np.ndarray  # (D,) there was more than one thing to do
    episodes: np.ndarray  # (D,)

    def __len__(self) -> int:
        return len(self.observations)

    def take(self, chosen: np.ndarray) -> "Rows":
        """Those rows."""
        return Rows(
            self.observations[chosen],
            self.actions[chosen],
            self.returns[chosen],
            self.choice[chosen],
            self.episodes[chosen],
        )

    def split(self, held_out: float, rng: np.random.Generator) -> tuple["Rows", "Rows"]:
        """Those to learn from, and those of the episodes held out.

        Raises:
            ConfigError: there is one episode only.
        """
        order = rng.permutation(np.unique(self.episodes))
        if len(order) < 2:
            raise ConfigError(
                f"{KEY}.demonstrations hold one episode: collect >= 2, so that one can be held out"
            )
        number = min(max(round(held_out * len(order)), 1), len(order) - 1)
        outside = np.isin(self.episodes, order[:number])
        return self.take(np.flatnonzero(~outside)), self.take(np.flatnonzero(outside))

    def batches(self, size: int, order: np.ndarray) -> Iterator["Rows"]:
        """All rows in that order."""
        for first in range(0, len(order), size):
            yield self.take(order[first : first + size])


def load_rows(algorithm: CommonPPOConfig, task: Task, environments: VecNormalize | None) -> Rows:
    """The rows of all configured demonstrations.

    What the environments normalise is normalised alike; their statistics begin with those of the
    demonstrations, so that the policy goes on to see what it has learned from.

    Raises:
        ConfigError: a file that is damaged, or was made for another observation, action, network
            or reward.
    """
    files = [Path(file) for file in algorithm.cloning.demonstrations]
    found = [load_demonstrations(file) for file in files]
    for file, one in zip(files, found, strict=True):
        check_fits(file, one, algorithm, task)
    observations = [one.observations.reshape(-1, one.observations.shape[-1]) for one in found]
    shown = np.concatenate(observations)
    if environments is not None and environments.norm_obs:
        environments.obs_rms.update(shown)
        shown = np.asarray(environments.normalize_obs(shown))
    shared = isinstance(algorithm, SharedPPOConfig)
    each = [one.observations.shape[1] if shared else 1 for one in found]
    offsets = np.cumsum([0, *(len(one.facts["episodes"]) for one in found)])
    episodes = [
        np.repeat(one.episodes + first, rows)
        for one, first, rows in zip(found, offsets, each, strict=False)
    ]
    actions = [one.actions.reshape(-1, 1) if shared else one.actions for one in found]
    return Rows(
        observations=shown.astype(np.float32),
        actions=np.concatenate(actions),
        returns=returns(found, algorithm, environments),
        choice=np.concatenate([choices(one, shared=shared) for one in found]),
        episodes=np.concatenate(episodes),
    )


def check_fits(file: Path, found: Demonstrations, algorithm: CommonPPOConfig, task: Task) -> None:
    """Return when the learner sees, does and is paid what was demonstrated.

    Raises:
        ConfigError: it is not.
    """
    facts = found.facts
    pairs: dict[str, tuple[Any, Any]] = {}
    for group in ("observation", "action"):
        config = getattr(algorithm, group)
        # A file from before there was a key has what has been its default since.
        before, now = plain_values(type(config)()) | facts[group], plain_values(config)
        keys = dict.fromkeys([*before, *now])
        pairs |= {f"algorithm.{group}.{key}": (before.get(key), now.get(key)) for key in keys}
    if not isinstance(algorithm, SharedPPOConfig):
        pairs["network"] = facts["network_hash"][:12], task.network.hash[:12]
    if algorithm.cloning.value_coef:
        pairs["reward"] = facts["reward"], plain_values(task.reward)
    for key, (before, now) in pairs.items():
        if before != now:
            hint = f"; or set {KEY}.value_coef=0" if key == "reward" else ""
            raise ConfigError(
                f"{KEY}.demonstrations: {file}: {key} was {before}, now it is {now}: collect for "
                f"this experiment{hint}"
            )


def choices(found: Demonstrations, *, shared: bool) -> np.ndarray:
    """(D,) where the teacher had a choice."""
    if not shared:
        return np.ones(len(found.actions), dtype=bool)
    free: np.ndarray = found.masks.sum(axis=2).reshape(-1) > 1
    return free


def returns(
    found: Sequence[Demonstrations], algorithm: CommonPPOConfig, environments: VecNormalize | None
) -> np.ndarray:
    """(D,) sum of discounted rewards until the end of the episode, in the learner's scale."""
    if not algorithm.cloning.value_coef:
        return np.zeros(sum(one.rewards.size for one in found))
    parts = []
    for one in found:
        bounds = np.flatnonzero(np.diff(one.episodes)) + 1
        parts += np.split(one.rewards.reshape(len(one.rewards), -1), bounds)
    scale = environments if environments is not None and environments.norm_reward else None
    if scale is not None:
        for rewards in parts:  # as the environments do while they run
            for gathered in discounted(rewards, algorithm.gamma):
                scale.ret_rms.update(gathered)
        parts = [scale.normalize_reward(rewards) for rewards in parts]
    return np.concatenate(
        [discounted(rewards[::-1], algorithm.gamma)[::-1].reshape(-1) for rewards in parts]
    )


def discounted(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """(T, S) each row: its rewards and gamma times the row before."""
    sums = np.zeros_like(rewards)
    gathered = np.zeros(rewards.shape[1])
    for place, paid in enumerate(rewards):
        gathered = gathered * gamma + paid
        sums[place] = gathered
    return sums
