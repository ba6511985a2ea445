"""The network that acts for any signal of any city, from that signal's own row.

It treats the phases of a signal as a set: in another order they get the same probabilities in that
order, and places that no phase fills change nothing. What may not be chosen has a probability of
exactly 0, in sampling as in the loss, because the row itself says so. The value may see more than
the policy: features of the whole network.

Shapes: B rows, P places for phases, F features of one phase, G features of one signal, V features
of the network, H last width of the neural network.
"""

from dataclasses import dataclass
from typing import Any

import torch
from stable_baselines3.common.policies import BasePolicy
from torch import nn

from trafficrl.training.scoring import ScoringPolicy, layers

__all__ = ["NEVER", "PhaseSet", "RowPolicy", "SharedPhasePolicy", "SignalRows", "rate_choices"]

NEVER = -1e9
"""Score of what may not be chosen: its exponential is 0 beside any other."""


@dataclass(frozen=True, slots=True)
class SignalRows:
    """What stands where in the rows of `SignalObservations`."""

    max_phases: int
    phase_features: int
    signal_features: int
    value_features: int = 0

    def split(
        self, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """May be chosen (B, P), exists (B, P), phases (B, P, F) and signals (B, G)."""
        places, features = self.max_phases, self.phase_features
        sizes = [places, places, places * features, self.signal_features, self.value_features]
        chosen, exists, phases, signals, _ = torch.split(rows, sizes, dim=1)
        return chosen > 0, exists > 0, phases.reshape(-1, places, features), signals

    def network(self, rows: torch.Tensor) -> torch.Tensor:
        """The network (B, V), for the value alone."""
        return rows[:, rows.shape[1] - self.value_features :]


class PhaseSet(nn.Module):
    """Embeds each phase beside its signal, and the set of them by mean and maximum."""

    def __init__(self, rows: SignalRows, widths: list[int], activation: type[nn.Module]) -> None:
        super().__init__()
        self.embed = layers(rows.phase_features + rows.signal_features, widths, activation)
        self.size = 2 * widths[-1] + rows.signal_features

    def forward(
        self, exists: torch.Tensor, phases: torch.Tensor, signals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings (B, P, H), 0 where no phase is, and the whole (B, size)."""
        row, place = exists.nonzero(as_tuple=True)
        each = self.embed(torch.cat([phases[row, place], signals[row]], dim=1))
        table = each.new_zeros(*exists.shape, each.shape[1])
        table = table.index_put((row, place), each)
        mean = table.sum(1) / exists.sum(1, keepdim=True).clamp(min=1)
        most = table.masked_fill(~exists.unsqueeze(2), NEVER).amax(1).clamp(min=-1e3)
        return table, torch.cat([mean, most, signals], dim=1)


def rate_choices(
    parts: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
    phases_of: PhaseSet,
    rate: nn.Module,
) -> torch.Tensor:
    """A number for each phase (B, P) that may be chosen; `NEVER` for the others.

    Args:
        parts: the rows as `SignalRows.split` gives them.
        phases_of: embeds the phases, and the signal.
        rate: one number (N, 1) from the two embeddings of a phase (N, H).
    """
    chosen, exists, phases, signals = parts
    each, whole = phases_of(exists, phases, signals)
    row, place = chosen.nonzero(as_tuple=True)
    found: torch.Tensor = rate(torch.cat([each[row, place], whole[row]], dim=1))
    return found.new_full(chosen.shape, NEVER).index_put((row, place), found[:, 0])


class SharedScorer(nn.Module):
    """Scores the phases of each row (B, P), and embeds the signal for its value."""

    def __init__(self, rows: SignalRows, widths: list[int], activation: type[nn.Module]) -> None:
        super().__init__()
        self._rows = rows
        self.acting = PhaseSet(rows, widths, activation)
        self.judging = PhaseSet(rows, widths, activation)
        last = widths[-1]
        self.score = layers(last + self.acting.size, [last], activation)
        self.score.append(nn.Linear(last, 1))
        self.value = layers(self.judging.size + rows.value_features, [last], activation)
        self.latent_dim_pi, self.latent_dim_vf = rows.max_phases, last

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (B, P) and embedding (B, H)."""
        return self.forward_actor(rows), self.forward_critic(rows)

    def forward_actor(self, rows: torch.Tensor) -> torch.Tensor:
        """Scores (B, P); `NEVER` where a phase may not be chosen."""
        return rate_choices(self._rows.split(rows), self.acting, self.score)

    def forward_critic(self, rows: torch.Tensor) -> torch.Tensor:
        """Embedding (B, H)."""
        _, exists, phases, signals = self._rows.split(rows)
        _, whole = self.judging(exists, phases, signals)
        seen = torch.cat([whole, self._rows.network(rows)], dim=1)
        embedding: torch.Tensor = self.value(seen)
        return embedding


class RowPolicy(BasePolicy):
    """A policy of Stable-Baselines3 that knows what stands where in its rows; comes before it."""

    def __init__(
        self,
        *spaces_and_schedule: Any,
        max_phases: int,
        phase_features: int,
        signal_features: int,
        value_features: int = 0,
        **arguments: Any,
    ) -> None:
        self._rows = SignalRows(max_phases, phase_features, signal_features, value_features)
        super().__init__(*spaces_and_schedule, **arguments)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {
            "max_phases": self._rows.max_phases,
            "phase_features": self._rows.phase_features,
            "signal_features": self._rows.signal_features,
            "value_features": self._rows.value_features,
        }


class SharedPhasePolicy(RowPolicy, ScoringPolicy):
    """Chooses among the phases of one signal that may be chosen now."""

    def build_scorer(self, widths: list[int]) -> nn.Module:
        """One for all signals."""
        return SharedScorer(self._rows, widths, self.activation_fn)
