"""What a decision is paid: named terms times weights, integrated over the whole decision."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Optional

from omegaconf import MISSING

from trafficrl.config.checks import check_range
from trafficrl.errors import ConfigError

__all__ = ["LOCAL_TERMS", "REWARD_TERMS", "LocalRewardConfig", "RewardConfig", "TermConfig"]

REWARD_TERMS = (
    "delay_per_signal_veh",
    "waiting_time_s",
    "speed_kmh",
    "queue_per_lane_veh",
    "throughput_vps",
    "backlog_veh",
)
LOCAL_TERMS = (
    "local_queue_veh",
    "local_delayed_veh",
    "local_pressure_veh",
    "local_waiting_min",
    "backlog_per_signal_veh",
)


@dataclass(kw_only=True)
class TermConfig:
    """One term: weight * (value - mean) / std."""

    weight: float = MISSING
    """Negative for what is bad."""
    mean: float = 0.0
    """Taken from the value, in the term's unit."""
    std: float = 1.0
    """What the rest is divided by, in the term's unit."""


@dataclass(kw_only=True)
class RewardConfig:
    """A mix of terms; which terms there are and their units: `trafficrl/env/reward_terms.py`.

    Further ones come from `extensions`.
    """

    kind: str = "weighted_terms"
    """Who is paid: the network as a whole, or each signal by itself."""
    terms: dict[str, TermConfig] = field(default_factory=dict)
    """Name of a term -> its weight, mean and std."""
    sample_s: float = 5.0
    """How often within a decision the lanes are read for the terms' integrals [s]."""

    def __post_init__(self) -> None:
        self._check(REWARD_TERMS)

    def _check(self, known: tuple[str, ...]) -> None:
        check_range("reward.sample_s", self.sample_s, 0.1, 60, unit="s")
        if not self.terms:
            raise ConfigError(f"reward.terms is empty; choices: {', '.join(known)}")
        for name, term in self.terms.items():
            if not isfinite(term.weight) or not isfinite(term.mean):
                raise ConfigError(
                    f"reward.terms.{name}: weight and mean must be finite, got {term}"
                )
            if not term.std > 0:
                raise ConfigError(f"reward.terms.{name}.std must be > 0, got {term.std!r}")


@dataclass(kw_only=True)
class LocalRewardConfig(RewardConfig):
    """A mix of terms for each signal by itself: `trafficrl/env/local_rewards.py`.

    A policy for all signals together is paid their mean.
    """

    kind: str = "local_terms"
    neighbour_share: float = 0.0
    """What the mean of the neighbouring signals' rewards counts beside a signal's own."""
    floor: Optional[float] = None  # noqa: UP045 - OmegaConf reads typing.Optional only
    """No signal is paid less for a decision, its neighbours' share included; null for no floor.
    A junction that blocks itself, as rarely happens, is then no reason to forget all else."""

    def __post_init__(self) -> None:
        self._check(LOCAL_TERMS)
        if self.floor is not None and not isfinite(self.floor):
            raise ConfigError(f"reward.floor must be finite or null, got {self.floor}")
        check_range("reward.neighbour_share", self.neighbour_share, 0, 10)
