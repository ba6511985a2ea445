"""The memory of learners that learn each decision many times over.

Stable-Baselines3 keeps what it remembers in arrays; here they are filled one step of all
environments at a time, so that a training can end after any, and saved without what they hold
twice: all but the last decisions of an episode are followed by what the next one saw.

Shapes: N environments as the learner has them; to a shared policy each signal is one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import NStepReplayBuffer, ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from trafficrl.config.off_policy import OffPolicyConfig
from trafficrl.errors import CheckpointError
from trafficrl.training.processes import inner_environments

__all__ = ["Replay"]

KEPT = ("observations", "actions", "rewards", "dones", "timeouts")


class Replay:
    """Fills a learner's memory, from where it stands.

    Args:
        model: whose environments have been reset.
        config: when it learns, and how much.
    """

    def __init__(self, model: OffPolicyAlgorithm, config: OffPolicyConfig) -> None:
        assert model.env is not None
        # Returns over many decisions are summed from the same arrays when they are drawn.
        assert isinstance(model.replay_buffer, ReplayBuffer)
        assert type(model.replay_buffer) in (ReplayBuffer, NStepReplayBuffer)
        self._model = model
        self._config = config
        self._buffer = model.replay_buffer
        self._decisions = inner_environments(model.env).num_envs
        self._gathered = 0

    @property
    def full(self) -> bool:
        """As many steps have been made as lie between two updates."""
        return self._gathered >= self._config.n_steps

    @property
    def missing(self) -> int:
        """Decisions of all networks until then."""
        return (self._config.n_steps - self._gathered) * self._decisions

    @property
    def decisions(self) -> int:
        """Between two updates."""
        return self._config.n_steps * self._decisions

    def clear(self) -> None:
        """Steps are counted anew; what is remembered stays."""
        self._gathered = 0

    def step(self) -> list[dict[str, Any]]:
        """One step of all environments is remembered; what each told of it (N,).

        The first decisions are those of an untrained policy and its noise, not uniform ones: in
        the logarithm of a green's share these would give nearly all of a cycle to one phase.

        Raises:
            TrafficRLError: what an environment raised.
        """
        model, env = self._model, self._model.env
        assert env is not None
        model.policy.set_training_mode(False)
        actions, stored = model._sample_action(0, model.action_noise, env.num_envs)
        observations, rewards, dones, infos = env.step(actions)
        model.num_timesteps += self._decisions
        model._update_info_buffer(infos, dones)
        assert isinstance(observations, np.ndarray)
        model._store_transition(self._buffer, stored, observations, rewards, dones, infos)
        model._last_episode_starts = dones
        self._gathered += 1
        return infos

    def learn(self) -> None:
        """The gradient steps of an update, once enough is remembered."""
        model, chosen = self._model, self._config
        if self._buffer.size() * self._decisions >= max(chosen.learning_starts, 1):
            steps = chosen.gradient_steps or self.decisions
            model.train(gradient_steps=steps, batch_size=model.batch_size)

    def capture(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        """(plain values, tensors) that `restore` brings back."""
        buffer, size = self._buffer, self._buffer.size()
        tensors = {f"replay.{name}": torch.as_tensor(getattr(buffer, name)[:size]) for name in KEPT}
        following = buffer.next_observations[:size]
        other = (following != np.roll(buffer.observations[:size], -1, axis=0)).any(axis=2)
        tensors["replay.is_other"] = torch.as_tensor(other)
        tensors["replay.others"] = torch.as_tensor(following[other])
        before = self._model._last_original_obs
        if before is not None:
            tensors["replay.last_original_obs"] = torch.as_tensor(np.asarray(before))
        place = {"pos": int(buffer.pos), "full": bool(buffer.full)}
        return {"filled": self._gathered, "replay": place}, tensors

    def restore(self, plain: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """What was captured is remembered again.

        Raises:
            CheckpointError: it is of another shape.
        """
        buffer, size = self._buffer, len(tensors["replay.rewards"])
        for name in KEPT:
            stored, room = tensors[f"replay.{name}"].shape, getattr(buffer, name)[:size].shape
            if tuple(stored) != tuple(room):
                raise CheckpointError(
                    f"the checkpoint's {name} have the shape {stored}, not {room}"
                )
        for name in KEPT:
            getattr(buffer, name)[:size] = tensors[f"replay.{name}"].numpy()
        following = np.roll(buffer.observations[:size], -1, axis=0)
        following[tensors["replay.is_other"].numpy()] = tensors["replay.others"].numpy()
        buffer.next_observations[:size] = following
        buffer.pos, buffer.full = int(plain["replay"]["pos"]), bool(plain["replay"]["full"])
        before = tensors.get("replay.last_original_obs")
        self._model._last_original_obs = None if before is None else before.numpy()
        self._gathered = int(plain["filled"])
