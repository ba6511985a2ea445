"""Values that change with environment steps: learning rate, entropy bonus, weight of a teacher.

They are functions of the model's own step count, so that a resumed training goes on where it was.
"""

from collections.abc import Callable

from trafficrl.config.algorithm import CommonPPOConfig, LearningRateSchedule

__all__ = ["entropy_schedule", "learning_rate_schedule", "teacher_schedule"]

Schedule = Callable[[int], float]


def learning_rate_schedule(config: CommonPPOConfig, *, total_timesteps: int) -> Schedule:
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


def teacher_schedule(config: CommonPPOConfig) -> Schedule:
    """Weight of the teacher's loss after that many environment steps: falling to 0."""
    chosen = config.kickstart
    return lambda steps: straight(chosen.coef, 0.0, steps, chosen.fade_steps)


def straight(first: float, last: float, steps: int, total: int) -> float:
    """On the line from first to last, and at last from `total` steps on."""
    share = min(steps / total, 1.0)
    return first + (last - first) * share
