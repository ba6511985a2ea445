"""What VecNormalize has learned of observations and returns, as plain values for a model file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecNormalize

__all__ = ["Normaliser", "RewardScale"]


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Running mean and variance of observations; (features,).

    Raises:
        ValueError: values that no normalisation can have.
    """

    mean: list[float]
    var: list[float]
    count: float
    clip: float
    epsilon: float

    def __post_init__(self) -> None:
        numbers = np.array([*self.mean, *self.var, self.count, self.clip, self.epsilon], float)
        positive = min(self.count, self.clip, self.epsilon) > 0 and min(self.var) >= 0
        if len(self.mean) != len(self.var) or not np.isfinite(numbers).all() or not positive:
            raise ValueError("the normaliser holds impossible values")

    @classmethod
    def of(cls, environments: VecNormalize | None) -> "Normaliser | None":
        """That of the environments; None where they do not normalise observations."""
        if environments is None or not environments.norm_obs:
            return None
        statistics = environments.obs_rms
        assert isinstance(statistics, RunningMeanStd)
        return cls(
            mean=statistics.mean.tolist(),
            var=statistics.var.tolist(),
            count=float(statistics.count),
            clip=float(environments.clip_obs),
            epsilon=float(environments.epsilon),
        )

    def apply(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """The observation as the policy was trained to see it."""
        scaled = (observation - np.array(self.mean)) / np.sqrt(np.array(self.var) + self.epsilon)
        cut: NDArray[np.float32] = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        return cut

    def restore(self, environments: VecNormalize) -> None:
        """The environments go on from these statistics."""
        assert isinstance(environments.obs_rms, RunningMeanStd)
        set_statistics(environments.obs_rms, self.mean, self.var, self.count)


@dataclass(frozen=True, slots=True)
class RewardScale:
    """Running mean and variance of the discounted return, by which rewards are scaled.

    The value function has learned in this scale: a training that goes on without it would first
    unlearn its values.

    Raises:
        ValueError: values that no scale can have.
    """

    mean: float
    var: float
    count: float

    def __post_init__(self) -> None:
        finite = np.isfinite(np.array([self.mean, self.var, self.count], float)).all()
        if not finite or self.var < 0 or self.count <= 0:
            raise ValueError("the reward scale holds impossible values")

    @classmethod
    def of(cls, environments: VecNormalize | None) -> "RewardScale | None":
        """That of the environments; None where they do not scale rewards."""
        if environments is None or not environments.norm_reward:
            return None
        statistics = environments.ret_rms
        return cls(float(statistics.mean), float(statistics.var), float(statistics.count))

    def restore(self, environments: VecNormalize) -> None:
        """The environments go on from these statistics."""
        set_statistics(environments.ret_rms, self.mean, self.var, self.count)


def set_statistics(
    statistics: RunningMeanStd, mean: list[float] | float, var: list[float] | float, count: float
) -> None:
    """Stable-Baselines3's statistics hold these values."""
    statistics.mean, statistics.var, statistics.count = np.array(mean), np.array(var), count
