"""The policy networks: Stable-Baselines3's MLP, one that scores phases, and the shared one.

Shapes: B batch, F features of an observation, Q phases of all signals together, S signals,
K features of one phase.
"""

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch import nn

from trafficrl.config.algorithm import (
    ActionKind,
    Activation,
    LearnerConfig,
    PolicyKind,
    PPOConfig,
)
from trafficrl.config.off_policy import DQNConfig, SACConfig, TD3Config
from trafficrl.config.shared_policy import SharedPPOConfig, SignalObservationConfig
from trafficrl.env.actions import LOGIT_LIMIT
from trafficrl.env.observations import ObservationEncoder
from trafficrl.env.task import Task
from trafficrl.training.phase_values import PhaseValuePolicy
from trafficrl.training.scoring import ScoringPolicy, layers
from trafficrl.training.shared_policy import SharedPhasePolicy

__all__ = [
    "LAYOUT",
    "PhaseScorePolicy",
    "action_space",
    "build_policy_arguments",
    "policy_class",
    "policy_layout",
]

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.relu: nn.ReLU,
    Activation.tanh: nn.Tanh,
    Activation.elu: nn.ELU,
    Activation.leaky_relu: nn.LeakyReLU,
}


class PhaseScorer(nn.Module):
    """Scores all phases (B, Q) with one shared network, and embeds the observation for the value.

    A phase is scored from its own features beside the mean over the phases of its signal: what
    makes a phase worth a green is the same at every signal, so every signal teaches all others.
    """

    def __init__(
        self,
        num_features: int,
        phase_columns: list[list[int]],
        signal_of_phase: list[int],
        *,
        widths: list[int],
        activation: type[nn.Module],
    ) -> None:
        super().__init__()
        columns, signal = torch.tensor(phase_columns), torch.tensor(signal_of_phase)
        one_hot = nn.functional.one_hot(signal).T.float()  # (S, Q)
        self.columns: torch.Tensor
        self.signal: torch.Tensor
        self.mean_of_signal: torch.Tensor
        self.register_buffer("columns", columns, persistent=False)
        self.register_buffer("signal", signal, persistent=False)
        self.register_buffer(
            "mean_of_signal", one_hot / one_hot.sum(1, keepdim=True), persistent=False
        )
        self.latent_dim_pi = len(signal_of_phase)
        self.latent_dim_vf = widths[-1]
        self.score = layers(2 * columns.shape[1], widths, activation)
        self.score.append(nn.Linear(widths[-1], 1))
        self.value = layers(num_features, widths, activation)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (B, Q) and embedding (B, last width) of observations (B, F)."""
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        """Scores (B, Q) of observations (B, F)."""
        own = features[:, self.columns]  # (B, Q, K)
        mean = torch.einsum("sq,bqk->bsk", self.mean_of_signal, own)[:, self.signal]
        scores: torch.Tensor = self.score(torch.cat([own, mean], dim=2))
        return scores.squeeze(2)

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        """Embedding (B, last width) of observations (B, F)."""
        embedding: torch.Tensor = self.value(features)
        return embedding


class PhaseScorePolicy(ScoringPolicy):
    """Scores all phases of one network at once."""

    def __init__(
        self,
        *spaces_and_schedule: Any,
        phase_columns: list[list[int]],
        signal_of_phase: list[int],
        **arguments: Any,
    ) -> None:
        self._phase_columns = phase_columns
        self._signal_of_phase = signal_of_phase
        super().__init__(*spaces_and_schedule, **arguments)

    def build_scorer(self, widths: list[int]) -> nn.Module:
        """One for all phases of the network."""
        return PhaseScorer(
            self.features_dim,
            self._phase_columns,
            self._signal_of_phase,
            widths=widths,
            activation=self.activation_fn,
        )

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {
            "phase_columns": self._phase_columns,
            "signal_of_phase": self._signal_of_phase,
        }


LAYOUT = ("phase_columns", "signal_of_phase")
"""What a policy must know of the network, as plain lists that a model file can hold."""
POLICIES: dict[PolicyKind, type[ActorCriticPolicy]] = {
    PolicyKind.mlp: ActorCriticPolicy,
    PolicyKind.phase_scores: PhaseScorePolicy,
}


CLASSES: dict[type[LearnerConfig], type[BasePolicy]] = {
    SharedPPOConfig: SharedPhasePolicy,
    TD3Config: TD3Policy,
    SACConfig: SACPolicy,
    DQNConfig: PhaseValuePolicy,
}
"""Of algorithms that have but one."""


def policy_class(config: LearnerConfig) -> type[BasePolicy]:
    """The class of the configured policy."""
    if isinstance(config, PPOConfig):
        return POLICIES[config.policy]
    return CLASSES[type(config)]


def build_policy_arguments(config: LearnerConfig, layout: dict[str, Any]) -> dict[str, Any]:
    """Stable-Baselines3's `policy_kwargs` for the configuration and a layout."""
    common = {
        "net_arch": list(config.net_arch),
        "activation_fn": ACTIVATIONS[config.activation],
    }
    seen = config.observation
    if isinstance(seen, SignalObservationConfig):
        return common | {
            "max_phases": seen.max_phases,
            "phase_features": len(seen.phase_features),
            "signal_features": len(seen.signal_features),
            "value_features": len(seen.value_features),
        }
    if not isinstance(config, PPOConfig):
        return common
    return common | {"log_std_init": config.log_std_init} | layout


def policy_layout(config: LearnerConfig, task: Task) -> dict[str, Any]:
    """The values of `LAYOUT` that the configured policy needs."""
    if not isinstance(config, PPOConfig) or config.policy is PolicyKind.mlp:
        return {}
    encoder = ObservationEncoder(
        config.observation, task.network, end_s=task.end_s, extensions=task.extensions
    )
    return {name: getattr(encoder, name).tolist() for name in LAYOUT}


def action_space(config: LearnerConfig, num_phases: list[int]) -> spaces.Space[Any]:
    """What the policy chooses from, on a network whose signals have so many phases (S,)."""
    if isinstance(config.observation, SignalObservationConfig):
        return spaces.Discrete(config.observation.max_phases)
    if config.action.kind is ActionKind.next_phase:
        return spaces.MultiDiscrete(num_phases)
    return spaces.Box(-LOGIT_LIMIT, LOGIT_LIMIT, (sum(num_phases),), np.float32)
