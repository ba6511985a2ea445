"""How much of the demand training begins with: a city that gridlocks teaches a beginner nothing."""

from dataclasses import dataclass

from trafficrl.config.checks import check_range

__all__ = ["CurriculumConfig"]


@dataclass(kw_only=True)
class CurriculumConfig:
    """Share of the scheduled vehicles that drive in a training episode, from the first one on of a
    run; one that goes on from another run's model begins with the first share again.

    Validation and test always have all of them. The defaults are all of them in training, too.

    Y. Bengio et al., Curriculum learning, ICML 2009.
    """

    first_share: float = 1.0
    """In the first episode of each environment."""
    last_share: float = 1.0
    """In the last one of the curriculum, and in all after it."""
    episodes: int = 1
    """Episodes of each environment from the first share to the last, in a straight line."""

    def __post_init__(self) -> None:
        where = "algorithm.curriculum"
        check_range(f"{where}.first_share", self.first_share, 0.01, 2.0)
        check_range(f"{where}.last_share", self.last_share, 0.01, 2.0)
        check_range(f"{where}.episodes", self.episodes, 1, unit="episodes")

    @property
    def is_used(self) -> bool:
        """Training sees another demand than the scheduled one."""
        return (self.first_share, self.last_share) != (1.0, 1.0)

    def share(self, episode: int) -> float:
        """Of the index-th episode of an environment."""
        done = min(episode / max(self.episodes - 1, 1), 1.0)
        return self.first_share + done * (self.last_share - self.first_share)
