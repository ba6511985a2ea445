"""Learners that learn each decision many times over, from a memory of what was done."""

from dataclasses import dataclass, field
from typing import Optional

from omegaconf import MISSING

from trafficrl.config.algorithm import ActionKind, LearnerConfig
from trafficrl.config.checks import check_range
from trafficrl.config.observation import ObservationConfig
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.errors import ConfigError

__all__ = ["ContinuousConfig", "DQNConfig", "OffPolicyConfig", "SACConfig", "TD3Config"]


@dataclass(kw_only=True)
class OffPolicyConfig(LearnerConfig):
    """What learners with a memory have; an update follows on `n_steps` decisions."""

    buffer_size: int = MISSING
    """Decisions that are remembered, of all environments together; the oldest are forgotten."""
    learning_starts: int = MISSING
    """Decisions that are remembered before the first update."""
    gradient_steps: int = 0
    """Gradient steps of an update; 0 for as many as decisions between two of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("algorithm.buffer_size", self.buffer_size, 1, unit="decisions")
        check_range("algorithm.learning_starts", self.learning_starts, 0, unit="decisions")
        check_range("algorithm.gradient_steps", self.gradient_steps, 0)
        if self.learning_starts > self.buffer_size:
            raise ConfigError(
                f"algorithm.learning_starts must be <= buffer_size = {self.buffer_size} decisions, "
                f"got {self.learning_starts}: learning would never start"
            )


@dataclass(kw_only=True)
class ContinuousConfig(OffPolicyConfig):
    """One agent that decides the phase durations of all signals of one network."""

    observation: ObservationConfig = field(default_factory=ObservationConfig)
    tau: float = MISSING
    """Share by which the target networks follow the learned ones in a gradient step."""
    normalize_observation: bool = False
    """Scale observations by their running mean and variance, saved with the model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("algorithm.tau", self.tau, 0, 1)
        if self.observation.is_empty:
            raise ConfigError("algorithm.observation names no feature at all: name at least one")
        if self.action.kind is not ActionKind.phase_durations:
            raise ConfigError(
                f"algorithm.kind={self.kind} decides how long phases last: set "
                f"algorithm.action.kind=phase_durations, got {self.action.kind.name}"
            )


@dataclass(kw_only=True)
class TD3Config(ContinuousConfig):
    """Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018).

    Noise is in shares of half the range of an action.
    """

    kind: str = "td3"
    action_noise: float = MISSING
    """Standard deviation of the noise that explores."""
    policy_delay: int = MISSING
    """Gradient steps of the critics for one of the actor."""
    target_policy_noise: float = MISSING
    """Standard deviation of the noise that smooths the target."""
    target_noise_clip: float = MISSING
    """The most of that noise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("action_noise", "target_policy_noise", "target_noise_clip"):
            check_range(f"algorithm.{name}", getattr(self, name), 0, 2)
        check_range("algorithm.policy_delay", self.policy_delay, 1)


@dataclass(kw_only=True)
class SACConfig(ContinuousConfig):
    """Soft actor-critic (Haarnoja et al. 2018b: arXiv 1812.05905, with a learned temperature)."""

    kind: str = "sac"
    ent_coef: float = MISSING
    """Entropy bonus, or where it starts if it is learned."""
    learn_ent_coef: bool = True
    """Let the entropy bonus keep the policy's entropy near target_entropy."""
    target_entropy: Optional[float] = None  # noqa: UP045 - OmegaConf reads typing.Optional only
    """Of an action in shares of half its range [nat]; null for minus the number of its entries."""
    log_std_init: float = 0.0
    """Logarithm of the first standard deviation, in shares of half the range of an action; at 0
    nearly all of a cycle goes to one phase of each signal."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("algorithm.ent_coef", self.ent_coef, 1e-9, 100)


@dataclass(kw_only=True)
class DQNConfig(OffPolicyConfig):
    """Deep Q-learning (Mnih et al. 2015) of one network that values the phases of any signal.

    Phases that may not be chosen count neither in what is chosen, nor in exploring, nor in the
    best that could follow.
    """

    kind: str = "dqn"
    observation: SignalObservationConfig = field(default_factory=SignalObservationConfig)
    return_steps: int = 1
    """Decisions whose pay is summed before the value of what follows is guessed."""
    target_update_interval: int = MISSING
    """Gradient steps after which the target network becomes the learned one."""
    exploration_initial: float = 1.0
    """Share of decisions that are taken at random, at first."""
    exploration_final: float = MISSING
    """And in the end."""
    exploration_fraction: float = MISSING
    """Share of the training in which it falls from the one to the other."""
    max_grad_norm: float = 10.0
    """Longer gradients are cut to this norm."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("algorithm.return_steps", self.return_steps, 1, 100, unit="decisions")
        check_range("algorithm.target_update_interval", self.target_update_interval, 1)
        for name in ("exploration_initial", "exploration_final", "exploration_fraction"):
            check_range(f"algorithm.{name}", getattr(self, name), 0, 1)
        check_range("algorithm.max_grad_norm", self.max_grad_norm, 0)
        self.observation.check_choice_of_phases(self.kind, self.action)
        if self.observation.value_features:
            raise ConfigError(
                "algorithm.observation.value_features are for a value beside the policy, and "
                f"algorithm.kind={self.kind} acts by its values: leave them empty, got "
                f"{self.observation.value_features}"
            )
