"""Values that change with environment steps: learning rate, entropy bonus, exploration, weight of a
teacher.

They are functions of the model's own step count, so that a resumed training goes on where it was;
a teacher comes with the run, and fades from its first step on.
"""

from collections.abc import Callable

from stable_baselines3.common.utils import FloatSchedule

from trafficrl.config.algorithm import CommonPPOConfig, LearnerConfig, LearningRateSchedule
from trafficrl.config.off_policy import DQNConfig
from trafficrl.training.parts import Learner

__all__ = [
    "Schedules",
    "entropy_schedule",
    "exploration_schedule",
    "learning_rate_schedule",
    "teacher_schedule",
]

Schedule = Callable[[int], float]


class Schedules:
    """All that change in a training of that configuration, up to so many environment steps.

    Args:
        config: of the learner.
        first: environment steps that the model had done when the training began.
        total_timesteps: those that it will have done at the end.
    """

    def __init__(self, config: LearnerConfig, *, first: int, total_timesteps: int) -> None:
        self._learning_rate = learning_rate_schedule(config, total_timesteps=total_timesteps)
        self._others: dict[str, Schedule] = {}
        if isinstance(config, CommonPPOConfig):
            self._others["ent_coef"] = entropy_schedule(config)
            if config.kickstart.teacher is not None:
                self._others["teacher_coef"] = teacher_schedule(config, first=first)
        if isinstance(config, DQNConfig):
            explore = exploration_schedule(config, total_timesteps=total_timesteps)
            self._others["exploration_rate"] = explore

    def apply(self, model: Learner, steps: int) -> None:
        """The model has the values of that step."""
        rate = self._learning_rate(steps)
        model.learning_rate, model.lr_schedule = rate, FloatSchedule(rate)
        for name, schedule in self._others.items():
            setattr(model, name, schedule(steps))

    def tell(self, model: Learner) -> None:
        """The values stand in the log; an update tells the learning rate itself."""
        for name in self._others:
            model.logger.record(f"train/{name}", getattr(model, name))


def learning_rate_schedule(config: LearnerConfig, *, total_timesteps: int) -> Schedule:
    """Learning rate after that many environment steps.

    constant: learning_rate.
    linear: straight from learning_rate to lr_final at total_timesteps.
    exponential: learning_rate * lr_decay_rate^steps, never below lr_final.
    """
    start, final = config.learning_rate, config.lr_final
    table: dict[LearningRateSchedule, Schedule] = {
        LearningRateSchedule.constant: lambda steps: start,
        LearningRateSchedule.linear: lambda steps: straight(start, final, steps, total_timesteps),
        LearningRateSchedule.exponential: lambda steps: max(
            final, start * config.lr_decay_rate**steps
        ),
    }
    return table[config.lr_schedule]


def entropy_schedule(config: CommonPPOConfig) -> Schedule:
    """Entropy bonus after that many environment steps: ent_coef, or falling where ent_schedule."""
    if not config.ent_schedule:
        return lambda steps: config.ent_coef
    first, last = config.ent_initial, config.ent_final
    return lambda steps: straight(first, last, steps, config.ent_decay_steps)


def teacher_schedule(config: CommonPPOConfig, *, first: int) -> Schedule:
    """Weight of the teacher's loss after that many environment steps: from `first` falling to 0."""
    chosen = config.kickstart
    return lambda steps: straight(chosen.coef, 0.0, steps - first, chosen.fade_steps)


def exploration_schedule(config: DQNConfig, *, total_timesteps: int) -> Schedule:
    """Share of random decisions after that many environment steps."""
    first, last = config.exploration_initial, config.exploration_final
    falling = max(round(config.exploration_fraction * total_timesteps), 1)
    return lambda steps: straight(first, last, steps, falling)


def straight(first: float, last: float, steps: int, total: int) -> float:
    """On the line from first to last, and at last from `total` steps on."""
    share = min(steps / total, 1.0)
    return first + (last - first) * share
