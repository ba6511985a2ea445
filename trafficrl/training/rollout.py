"""Rollouts of PPO one step of all environments at a time, so that a training can end after any.

Stable-Baselines3 collects a whole rollout in one call, which on a large city takes an hour. What
it keeps meanwhile - observations, the buffer, episodes' sums - lies in the model as it would there.

Shapes: N environments as the learner has them; to a shared policy each signal is one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer

from trafficrl.errors import CheckpointError
from trafficrl.training.kickstart import TaughtRolloutBuffer
from trafficrl.training.processes import inner_environments

__all__ = ["Rollout"]

KEPT = ("observations", "actions", "rewards", "episode_starts", "values", "log_probs")


class Rollout:
    """Fills a learner's buffer, from where it stands.

    Args:
        model: whose environments have been reset.
    """

    def __init__(self, model: PPO) -> None:
        assert isinstance(model.rollout_buffer, RolloutBuffer)
        self._model = model
        assert model.env is not None
        self._buffer = model.rollout_buffer
        self._decisions = inner_environments(model.env).num_envs
        # A buffer with a teacher holds more of each transition.
        self._kept = (*KEPT, *getattr(self._buffer, "more", ()))

    @property
    def full(self) -> bool:
        """The buffer holds as many steps as an update learns from."""
        return self._buffer.full

    @property
    def missing(self) -> int:
        """Decisions of all networks until the buffer is full."""
        return (self._buffer.buffer_size - self._buffer.pos) * self._decisions

    @property
    def decisions(self) -> int:
        """That an update learns from."""
        return self._buffer.buffer_size * self._decisions

    def clear(self) -> None:
        """The buffer is empty: what it held has been learned."""
        self._buffer.reset()

    def step(self) -> list[dict[str, Any]]:
        """One step of all environments stands in the buffer; what each told of it (N,).

        Raises:
            TrafficRLError: what an environment raised.
        """
        model, env = self._model, self._model.env
        assert env is not None
        assert isinstance(model._last_obs, np.ndarray)
        if model.policy.training:  # to say it to every layer takes longer than to compute some
            model.policy.set_training_mode(False)
        with torch.no_grad():
            seen = torch.as_tensor(model._last_obs, device=model.device)
            actions, values, log_probs = model.policy(seen)
        chosen = actions.cpu().numpy()
        observations, rewards, dones, infos = env.step(self._allowed(chosen))
        model.num_timesteps += self._decisions
        model._update_info_buffer(infos, dones)
        rewards = rewards + self._cut_off_worth(dones, infos)
        starts = model._last_episode_starts
        assert starts is not None
        if isinstance(self._buffer, TaughtRolloutBuffer):
            self._buffer.note_teacher(infos)
        self._buffer.add(model._last_obs, chosen, rewards, starts, values, log_probs)
        assert isinstance(observations, np.ndarray)
        model._last_obs, model._last_episode_starts = observations, dones
        return infos

    def learn(self) -> None:
        """The epochs of an update."""
        self.finish()
        self._model.train()

    def capture(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        """(plain values, tensors) that `restore` brings back."""
        filled = int(self._buffer.pos)
        tensors = {
            f"rollout.{name}": torch.as_tensor(getattr(self._buffer, name)[:filled])
            for name in self._kept
        }
        return {"filled": filled}, tensors

    def restore(self, plain: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """The buffer holds what was captured.

        Raises:
            CheckpointError: it is of another shape.
        """
        buffer, filled = self._buffer, int(plain["filled"])
        if filled > buffer.buffer_size:
            raise CheckpointError(
                f"the checkpoint holds {filled} steps of a rollout, which has {buffer.buffer_size}"
            )
        for name in self._kept:
            stored, room = tensors[f"rollout.{name}"].shape, getattr(buffer, name)[:filled].shape
            if tuple(stored) != tuple(room):
                raise CheckpointError(
                    f"the checkpoint's {name} have the shape {stored}, not {room}"
                )
        buffer.reset()
        for name in self._kept:
            getattr(buffer, name)[:filled] = tensors[f"rollout.{name}"].numpy()
        buffer.pos, buffer.full = filled, filled == buffer.buffer_size

    def finish(self) -> None:
        """The full buffer has advantages and returns."""
        model = self._model
        assert isinstance(model._last_obs, np.ndarray)
        assert model._last_episode_starts is not None
        with torch.no_grad():
            values = model.policy.predict_values(
                torch.as_tensor(model._last_obs, device=model.device)
            )
        self._buffer.compute_returns_and_advantage(values, model._last_episode_starts)

    def _allowed(self, actions: np.ndarray) -> np.ndarray:
        """Gaussian actions (N, ...) may lie outside the space: the environments get its border."""
        space = self._model.action_space
        if isinstance(space, spaces.Box):
            actions = np.clip(actions, space.low, space.high)
        return actions

    def _cut_off_worth(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        """(N,) what is still to come where an episode ended by its time alone.

        F. Pardo et al., Time Limits in Reinforcement Learning, ICML 2018, sec. 2.2.
        """
        model, worth = self._model, np.zeros(len(infos), np.float32)
        cut_off = [
            place
            for place in np.flatnonzero(dones)
            if infos[place].get("TimeLimit.truncated", False)
            and infos[place].get("terminal_observation") is not None
        ]
        if cut_off:
            last = np.stack([infos[place]["terminal_observation"] for place in cut_off])
            seen, _ = model.policy.obs_to_tensor(last)
            with torch.no_grad():
                values = model.policy.predict_values(seen)
            worth[cut_off] = model.gamma * values.cpu().numpy()[:, 0]
        return worth
