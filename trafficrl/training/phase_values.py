"""Deep Q-learning of one network for all signals, which leaves out what may not be chosen.

Shapes: B rows, P places for phases.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.utils import polyak_update
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn

from trafficrl.training.scoring import layers
from trafficrl.training.shared_policy import PhaseSet, RowPolicy, SignalRows, rate_choices

__all__ = ["MaskedDQN", "PhaseValuePolicy"]


class PhaseValues(nn.Module):
    """Values the phases of each row (B, P); `NEVER` where a phase may not be chosen."""

    def __init__(self, rows: SignalRows, widths: list[int], activation: type[nn.Module]) -> None:
        super().__init__()
        self._rows = rows
        self.phases = PhaseSet(rows, widths, activation)
        self.value = layers(widths[-1] + self.phases.size, [widths[-1]], activation)
        self.value.append(nn.Linear(widths[-1], 1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """What is still to come after each phase."""
        return rate_choices(self._rows.split(rows), self.phases, self.value)


class PhaseValueNetwork(QNetwork):
    """Stable-Baselines3's, with our layers."""

    def __init__(self, *arguments: Any, rows: SignalRows, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.q_net = PhaseValues(rows, self.net_arch, self.activation_fn)  # type: ignore[assignment]


class PhaseValuePolicy(RowPolicy, DQNPolicy):
    """Takes the phase of the highest value among those that may be chosen now."""

    def make_q_net(self) -> QNetwork:
        """One for all signals."""
        arguments = self._update_features_extractor(self.net_args, features_extractor=None)
        return PhaseValueNetwork(rows=self._rows, **arguments).to(self.device)

    def may_be_chosen(self, rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(B, P) as the rows (B, K) say."""
        mask: NDArray[np.bool_] = rows[:, : self._rows.max_phases] > 0
        return mask


class MaskedDQN(DQN):
    """DQN whose signals explore each by itself, among the phases that may be chosen.

    `target_update_interval` counts gradient steps, as in Mnih et al. 2015 (Methods, algorithm 1).
    """

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Best phases (B,), or for a share of the rows any that may be chosen."""
        best, state = self.policy.predict(observation, state, episode_start, deterministic)
        if deterministic:
            return best, state
        assert isinstance(observation, np.ndarray)
        assert isinstance(self.policy, PhaseValuePolicy)
        mask = self.policy.may_be_chosen(observation)
        # Stable-Baselines3 draws from numpy's one generator, which checkpoints keep.
        any_phase = (mask * np.random.random_sample(mask.shape)).argmax(axis=1)  # noqa: NPY002
        explores = np.random.random_sample(len(mask)) < self.exploration_rate  # noqa: NPY002
        return np.where(explores, any_phase, best), state

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """So many gradient steps; the target follows within them."""
        losses = []
        for _ in range(gradient_steps):
            super().train(1, batch_size)
            losses.append(self.logger.name_to_value["train/loss"])
            if self._n_updates % self.target_update_interval == 0:
                polyak_update(self.q_net.parameters(), self.q_net_target.parameters(), 1.0)
        self.logger.record("train/loss", np.mean(losses))
