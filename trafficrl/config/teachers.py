"""What a policy learns from others: demonstrations before it learns, a teacher while it does."""

from dataclasses import dataclass, field

from trafficrl.config.checks import check_range
from trafficrl.errors import ConfigError

__all__ = ["CloningConfig", "KickstartConfig"]


@dataclass(kw_only=True)
class CloningConfig:
    """Behaviour cloning: the policy imitates demonstrations before it learns by itself.

    D. Pomerleau, Efficient training of artificial neural networks for autonomous navigation, Neural
    Computation 3(1), 1991.
    """

    demonstrations: list[str] = field(default_factory=list)
    """Files of `trafficrl-collect`."""
    teacher: str | None = None
    """Without files, who drives what is imitated, before training: a classical controller's name, a
    model.zip, a run folder or the name of a model; null for none."""
    episodes: int = 10
    """Training episodes of each scenario that the teacher drives."""
    after_resume: bool = False
    """Imitate also where `resume_from` names a model, which has learned something already: the
    trainings of a chain but the first do not, or each would unlearn what the one before learned."""
    demand_seed: int = 1
    """That their demand follows from, whatever the seed of the training is: trainings of a sweep
    imitate the same, and it is driven once."""
    epochs: int = 20
    """Passes over the demonstrations; the weights of the best one count."""
    batch_size: int = 256
    """Observations in one gradient step: to a shared policy each signal has its own."""
    learning_rate: float = 1e-3
    """Of Adam, while it clones."""
    held_out: float = 0.2
    """Share of the episodes that only tell how well it imitates, one at least."""
    value_coef: float = 0.5
    """Weight of the value function's error at the returns of the teacher; 0 to leave it alone."""

    def __post_init__(self) -> None:
        where = "algorithm.cloning"
        check_range(f"{where}.episodes", self.episodes, 1, 100_000)
        check_range(f"{where}.demand_seed", self.demand_seed, 0, 2**32 - 1)
        check_range(f"{where}.epochs", self.epochs, 1)
        check_range(f"{where}.batch_size", self.batch_size, 2)
        check_range(f"{where}.learning_rate", self.learning_rate, 0, 1)
        check_range(f"{where}.held_out", self.held_out, 0.01, 0.9)
        check_range(f"{where}.value_coef", self.value_coef, 0, 100)
        if len(set(self.demonstrations)) != len(self.demonstrations):
            raise ConfigError(
                f"{where}.demonstrations: a file is named twice in {self.demonstrations}"
            )
        if self.demonstrations and self.teacher is not None:
            raise ConfigError(
                f"{where}.demonstrations name what is imitated: set {where}.teacher=null, got "
                f"{self.teacher}"
            )

    @property
    def imitates(self) -> bool:
        """There is something to imitate."""
        return bool(self.demonstrations) or self.teacher is not None


@dataclass(kw_only=True)
class KickstartConfig:
    """Kickstarting: beside its own loss the policy pays for what it would do otherwise than a
    teacher, ever less.

    S. Schmitt et al., Kickstarting deep reinforcement learning, arXiv:1803.03835, 2018.
    """

    teacher: str | None = None
    """A classical controller's name, a model.zip, a run folder or the name of a model; null for
    none."""
    coef: float = 1.0
    """Weight of the teacher's loss at first."""
    fade_steps: int = 5000
    """Environment steps of the run until it has fallen to 0, in a straight line; a run that goes on
    from another one's model begins with all of it."""

    def __post_init__(self) -> None:
        where = "algorithm.kickstart"
        check_range(f"{where}.coef", self.coef, 0, 1000)
        check_range(f"{where}.fade_steps", self.fade_steps, 1, unit="environment steps")
