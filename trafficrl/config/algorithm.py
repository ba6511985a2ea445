"""How a policy learns, and what it decides: with what it sees, all that fixes a model's shapes."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from trafficrl.config.checks import check_range
from trafficrl.config.curriculum import CurriculumConfig
from trafficrl.config.observation import ObservationBase, ObservationConfig
from trafficrl.config.teachers import CloningConfig, KickstartConfig
from trafficrl.errors import ConfigError

__all__ = [
    "ActionConfig",
    "ActionKind",
    "Activation",
    "AlgorithmConfig",
    "CommonPPOConfig",
    "LearnerConfig",
    "LearningRateSchedule",
    "PPOConfig",
    "PhaseOrder",
    "PolicyKind",
]


class ActionKind(Enum):
    """What one decision says to each signal."""

    phase_durations = "phase_durations"
    """The greens of the whole next cycle (continuous)."""
    next_phase = "next_phase"
    """Which phase is green until the next decision (discrete)."""


class PhaseOrder(Enum):
    """Which phases may follow each other."""

    any = "any"
    """Each may follow each."""
    cycle = "cycle"
    """The order of the signal's plan, in which phases that nobody waits for are left out."""


class Activation(Enum):
    """Activation between the layers of the policy network."""

    relu = "relu"
    tanh = "tanh"
    elu = "elu"
    leaky_relu = "leaky_relu"


class PolicyKind(Enum):
    """How the policy network is laid out."""

    mlp = "mlp"
    """One network from all features to all actions: nothing is assumed, much must be learned."""
    phase_scores = "phase_scores"
    """One small network scores every phase of every signal from that phase's own features."""


class LearningRateSchedule(Enum):
    """How the learning rate falls with environment steps."""

    constant = "constant"
    linear = "linear"
    exponential = "exponential"


@dataclass(kw_only=True)
class ActionConfig:
    """What a decision is and how often it is taken."""

    kind: ActionKind = MISSING
    cycle_s: float = 90.0
    """phase_durations: cycle that the greens and clearances fill = decision interval [s]."""
    interval_s: float = 10.0
    """next_phase: decision interval [s]."""
    order: PhaseOrder = PhaseOrder.any
    """next_phase of ppo_shared and dqn: which phases may follow each other."""

    def __post_init__(self) -> None:
        check_range("algorithm.action.cycle_s", self.cycle_s, 10, 600, unit="s")
        check_range("algorithm.action.interval_s", self.interval_s, 1, 300, unit="s")

    @property
    def decision_s(self) -> float:
        """Simulated time from one decision to the next [s]."""
        return self.cycle_s if self.kind is ActionKind.phase_durations else self.interval_s


@dataclass(kw_only=True)
class AlgorithmConfig:
    """What every kind of algorithm has; `kind` names the dataclass of the member."""

    kind: str = MISSING
    """Which learner."""
    action: ActionConfig = MISSING
    observation: ObservationBase = field(default_factory=ObservationBase)
    """A missing one would let no kind bring its own."""
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)


@dataclass(kw_only=True)
class LearnerConfig(AlgorithmConfig):
    """What every learner has; where one policy acts for every signal, each decision of the network
    is a transition of each of them."""

    learning_rate: float = MISSING
    """Of Adam, at first."""
    lr_schedule: LearningRateSchedule = LearningRateSchedule.constant
    lr_final: float = 0.0
    """Where a falling learning rate ends."""
    lr_decay_rate: float = 1.0
    """exponential: factor for each environment step, down to lr_final."""
    batch_size: int = MISSING
    """Transitions in one gradient step."""
    n_steps: int = MISSING
    """Decisions of each environment between two updates."""
    gamma: float = MISSING
    """Discount of the rewards of one decision later."""
    net_arch: list[int] = field(default_factory=lambda: [64, 64])
    """Widths of the hidden layers of the policy and of the value network."""
    activation: Activation = Activation.relu
    normalize_reward: bool = False
    """Scale rewards by the running deviation of the return while learning."""

    def __post_init__(self) -> None:
        where = "algorithm"
        if self.action.order is PhaseOrder.cycle and not self.observation.masks_phases:
            raise ConfigError(
                f"{where}.action.order=cycle is for policies that act for each signal "
                f"(ppo_shared, dqn), got {where}.kind={self.kind}"
            )
        check_range(f"{where}.learning_rate", self.learning_rate, 0, 1)
        check_range(f"{where}.lr_final", self.lr_final, 0, 1)
        falls = self.lr_schedule is not LearningRateSchedule.constant
        if falls and self.lr_final > self.learning_rate:
            raise ConfigError(
                f"{where}.lr_final must be at most learning_rate {self.learning_rate:g} while "
                f"lr_schedule is {self.lr_schedule.value}, got {self.lr_final:g}"
            )
        check_range(f"{where}.lr_decay_rate", self.lr_decay_rate, 0, 1)
        check_range(f"{where}.batch_size", self.batch_size, 2)
        check_range(f"{where}.n_steps", self.n_steps, 1)
        check_range(f"{where}.gamma", self.gamma, 0, 1)
        if not self.net_arch or min(self.net_arch) < 1:
            raise ConfigError(f"{where}.net_arch needs layer widths >= 1, got {self.net_arch}")

    @property
    def scales_observation(self) -> bool:
        """Observations are scaled, as they can be where one agent sees all at once."""
        return bool(getattr(self, "normalize_observation", False))


@dataclass(kw_only=True)
class CommonPPOConfig(LearnerConfig):
    """Proximal policy optimisation (Schulman et al. 2017) as Stable-Baselines3 has it."""

    clip_range: float = MISSING
    """How far the probability ratio of new and old policy counts on either side of 1."""
    n_epochs: int = MISSING
    """Passes over the decisions of an update."""
    gae_lambda: float = MISSING
    """Of generalised advantage estimation: 0 trusts the value network, 1 the returns."""
    max_grad_norm: float = 0.5
    """Longer gradients are cut to this norm."""
    vf_coef: float = 0.5
    """Weight of the value network's loss."""
    ent_coef: float = MISSING
    """Entropy bonus while ent_schedule is false."""
    ent_schedule: bool = False
    """Let the entropy bonus fall linearly from ent_initial to ent_final."""
    ent_initial: float = 0.0
    """Entropy bonus at first, while ent_schedule is true."""
    ent_final: float = 0.0
    """And in the end."""
    ent_decay_steps: int = 1
    """Environment steps from ent_initial to ent_final."""
    cloning: CloningConfig = field(default_factory=CloningConfig)
    kickstart: KickstartConfig = field(default_factory=KickstartConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        where = "algorithm"
        check_range(f"{where}.clip_range", self.clip_range, 0, 1)
        check_range(f"{where}.n_steps", self.n_steps, 2)
        check_range(f"{where}.n_epochs", self.n_epochs, 1)
        check_range(f"{where}.gae_lambda", self.gae_lambda, 0, 1)
        check_range(f"{where}.max_grad_norm", self.max_grad_norm, 0)
        for name in ("ent_coef", "ent_initial", "ent_final"):
            check_range(f"{where}.{name}", getattr(self, name), 0, 10)
        check_range(f"{where}.ent_decay_steps", self.ent_decay_steps, 1, unit="environment steps")


@dataclass(kw_only=True)
class PPOConfig(CommonPPOConfig):
    """One agent for all signals of one network."""

    kind: str = "ppo"
    observation: ObservationConfig = field(default_factory=ObservationConfig)
    policy: PolicyKind = PolicyKind.mlp
    log_std_init: float = 0.0
    """Logarithm of the continuous action's first standard deviation."""
    normalize_observation: bool = False
    """Scale observations by their running mean and variance, saved with the model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.observation.is_empty:
            raise ConfigError("algorithm.observation names no feature at all: name at least one")
        if self.policy is PolicyKind.phase_scores and not self.observation.phase_features:
            raise ConfigError(
                "algorithm.policy=phase_scores needs algorithm.observation.phase_features"
            )
