"""PPO that pays, ever less, for what it would do otherwise than a teacher.

S. Schmitt et al., Kickstarting deep reinforcement learning, arXiv:1803.03835, 2018, with the
teacher's action at the states that the learner visits.

Shapes: T steps of a rollout, N environments as the learner has them, A numbers of an action.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

from trafficrl.training.imitation import imitation_losses

__all__ = ["KickstartedPPO", "TaughtRolloutBuffer"]


class TaughtRolloutBuffer(RolloutBuffer):
    """Keeps beside each transition what the teacher would have done."""

    more = ("teacher_actions", "taught")
    """Arrays that a checkpoint of an unfinished rollout needs beside Stable-Baselines3's."""
    teacher_actions: np.ndarray  # (T, N, A)
    taught: np.ndarray  # (T, N) 1 where the teacher was asked: not amid a crash

    def reset(self) -> None:
        """Nothing is known yet."""
        super().reset()
        shape = (self.buffer_size, self.n_envs)
        self.teacher_actions = np.zeros((*shape, self.action_dim), np.float32)
        self.taught = np.zeros(shape, np.float32)
        self._batch = np.zeros(0, np.int64)

    def note_teacher(self, infos: Sequence[dict[str, Any]]) -> None:
        """The next transition (N,) has what its environments tell of the teacher.

        A network tells it for all its signals at the place of its first.
        """
        for place, info in enumerate(infos):
            told = info.get("teacher_action")
            if told is not None:
                actions = np.asarray(told, np.float32).reshape(-1, self.action_dim)
                places = slice(place, place + len(actions))
                self.teacher_actions[self.pos, places] = actions
                self.taught[self.pos, places] = 1.0

    def batch_teacher(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The teacher's actions (B, A) for the last batch, and where there are any (B,)."""
        # Batches are numbered environment by environment.
        environment, step = np.divmod(self._batch, self.buffer_size)
        actions = self.to_torch(self.teacher_actions[step, environment])
        return actions, self.to_torch(self.taught[step, environment])

    def _get_samples(
        self, batch_inds: np.ndarray, env: VecNormalize | None = None
    ) -> RolloutBufferSamples:
        samples = super()._get_samples(batch_inds, env)
        self._batch, self._observations = batch_inds, samples.observations
        return samples


class KickstartedPPO(PPO):
    """PPO whose every gradient step also goes towards the teacher.

    Its own gradient has been taken and cut to its longest length by then; the teacher's is added to
    it, and both together are cut again.
    """

    teacher_coef = 0.0
    """Weight of the teacher's loss now: at 0 this is PPO, bit for bit."""
    num_phases: Sequence[int] = ()
    """Of each signal, where one action is for all of them."""

    def _setup_model(self) -> None:
        super()._setup_model()
        self.policy.optimizer.register_step_pre_hook(self._add_teacher)
        self._teacher_losses: list[float] = []

    def train(self) -> None:
        """One update; the teacher's mean loss is in the log [nat]."""
        self._teacher_losses = []
        super().train()
        if self._teacher_losses:
            self.logger.record("train/teacher_loss", float(np.mean(self._teacher_losses)))

    def _add_teacher(self, *optimizer_and_arguments: Any) -> None:
        buffer = self.rollout_buffer
        if not self.teacher_coef or not isinstance(buffer, TaughtRolloutBuffer):
            return
        actions, taught = buffer.batch_teacher()
        observations = buffer._observations
        losses = imitation_losses(self.policy, observations, actions, self.num_phases) * taught
        loss = losses.sum() / taught.sum().clamp(min=1.0)
        (self.teacher_coef * loss).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        self._teacher_losses.append(float(loss.detach()))
