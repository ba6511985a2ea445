"""The policy networks: Stable-Baselines3's MLP, and one that scores phases.

Shapes: B batch, F features of an observation, Q phases of all signals together, S signals,
K features of one phase.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from trafficrl.config.algorithm import Activation, PolicyKind, PPOConfig
from trafficrl.env.observations import ObservationEncoder

__all__ = [
    "LAYOUT",
    "PhaseScorePolicy",
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


class PhaseScorePolicy(ActorCriticPolicy):
    """Takes scores as logits of the next phase, or as means of the softmax of phase durations."""

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

    def _build_mlp_extractor(self) -> None:
        widths = self.net_arch
        assert isinstance(widths, list)
        # Stable-Baselines3 only asks for the three forward methods and the two sizes.
        self.mlp_extractor = PhaseScorer(  # type: ignore[assignment]
            self.features_dim,
            self._phase_columns,
            self._signal_of_phase,
            widths=widths,
            activation=self.activation_fn,
        )

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net = nn.Identity()  # the scores are the action's parameters already
        with torch.no_grad():
            # A first policy close to uniform explores best (Andrychowicz et al. 2021, sec. 3.2).
            self.mlp_extractor.score[-1].weight.mul_(0.1)  # type: ignore[union-attr, index]
        self.optimizer = self.optimizer_class(
            self.parameters(),
            lr=lr_schedule(1),  # type: ignore[call-arg] # every optimiser but torch's base has it
            **self.optimizer_kwargs,
        )

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {
            "phase_columns": self._phase_columns,
            "signal_of_phase": self._signal_of_phase,
        }


def layers(width: int, widths: list[int], activation: type[nn.Module]) -> nn.Sequential:
    """Linear layers of those widths, each followed by the activation."""
    modules: list[nn.Module] = []
    for following in widths:
        linear = nn.Linear(width, following)
        nn.init.orthogonal_(linear.weight, np.sqrt(2))
        nn.init.zeros_(linear.bias)
        modules += [linear, activation()]
        width = following
    return nn.Sequential(*modules)


LAYOUT = ("phase_columns", "signal_of_phase")
"""What a policy must know of the network, as plain lists that a model file can hold."""
POLICIES: dict[PolicyKind, type[ActorCriticPolicy]] = {
    PolicyKind.mlp: ActorCriticPolicy,
    PolicyKind.phase_scores: PhaseScorePolicy,
}


def policy_class(config: PPOConfig) -> type[ActorCriticPolicy]:
    """The class of the configured policy."""
    return POLICIES[config.policy]


def build_policy_arguments(config: PPOConfig, layout: dict[str, Any]) -> dict[str, Any]:
    """Stable-Baselines3's `policy_kwargs` for the configuration and a layout."""
    return {
        "net_arch": list(config.net_arch),
        "activation_fn": ACTIVATIONS[config.activation],
        "log_std_init": config.log_std_init,
        **layout,
    }


def policy_layout(config: PPOConfig, encoder: ObservationEncoder) -> dict[str, Any]:
    """The values of `LAYOUT` that the configured policy needs."""
    if config.policy is PolicyKind.mlp:
        return {}
    return {name: getattr(encoder, name).tolist() for name in LAYOUT}
