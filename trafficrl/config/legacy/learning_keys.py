"""Legacy keys of the learner and of what it decides."""

from trafficrl.config.algorithm import Activation, LearningRateSchedule
from trafficrl.config.legacy.keys import LegacyKey, Moved, Run
from trafficrl.config.legacy.values import number, one_of, switch, text, whole, wholes

__all__ = ["ACTION_KEYS", "LEARNER_KEYS"]

BY_STEP = "falls with every environment step: it stayed where it began then"
ENTROPY = "acts now: the earlier program declared it and left the bonus as it was"
FREE_RANGE = (
    "a decision is a softmax of numbers in -10..10: a range of its own changes nothing else"
)


def _action(value: str, run: Run) -> Moved:
    """Another mode was read, and phase durations decided all the same."""
    if value != "continuous":
        raise ValueError(
            f"must be continuous, got {value!r}: the earlier program decided phase durations "
            "whatever it said; to choose phases, leave it out and set "
            "algorithm.action.kind=next_phase beside it"
        )
    return Moved({"algorithm.action.kind": "phase_durations"})


def _cycle(value: list[int], run: Run) -> Moved:
    if len(set(value)) != 1:
        raise ValueError(f"a run has one cycle, got {value}: choose one of them")
    return Moved({"algorithm.action.cycle_s": float(value[0])})


LEARNER_KEYS = (
    LegacyKey(name="learning_rate", reads=number, to="algorithm.learning_rate", default=1e-4),
    LegacyKey(name="clip_range", reads=number, to="algorithm.clip_range", default=0.2),
    LegacyKey(name="batch_size", reads=whole, to="algorithm.batch_size", default=2048),
    LegacyKey(name="n_steps", reads=whole, to="algorithm.n_steps", default=4096),
    LegacyKey(name="n_epochs", reads=whole, to="algorithm.n_epochs", default=5),
    LegacyKey(name="gamma", reads=number, to="algorithm.gamma", default=0.995),
    LegacyKey(name="gae_lambda", reads=number, to="algorithm.gae_lambda", default=0.98),
    LegacyKey(name="max_grad_norm", reads=number, to="algorithm.max_grad_norm", default=0.5),
    LegacyKey(name="ent_coef", reads=number, to="algorithm.ent_coef", default=0.01),
    LegacyKey(name="log_std_init", reads=number, to="algorithm.log_std_init", default=-1.0),
    LegacyKey(
        name="lr_schedule",
        reads=one_of(*(schedule.value for schedule in LearningRateSchedule)),
        to="algorithm.lr_schedule",
        why=BY_STEP,
        concerns=("exponential", "linear"),
        default="exponential",
    ),
    LegacyKey(name="lr_final", reads=number, to="algorithm.lr_final", default=5e-6),
    LegacyKey(
        name="lr_decay_rate",
        reads=number,
        to="algorithm.lr_decay_rate",
        default=0.99995,
    ),
    LegacyKey(
        name="ent_schedule",
        reads=switch,
        to="algorithm.ent_schedule",
        why=ENTROPY,
        concerns=("true",),
        default=True,
    ),
    LegacyKey(name="ent_initial", reads=number, to="algorithm.ent_initial", default=0.02),
    LegacyKey(name="ent_final", reads=number, to="algorithm.ent_final", default=0.001),
    LegacyKey(name="ent_decay_steps", reads=whole, to="algorithm.ent_decay_steps", default=500_000),
    LegacyKey(name="net_arch", reads=wholes, to="algorithm.net_arch", default=[256, 256]),
    LegacyKey(
        name="activation",
        reads=one_of(*(activation.value for activation in Activation)),
        to="algorithm.activation",
        default="relu",
    ),
    LegacyKey(
        name="pretrain_from",
        reads=text,
        why="a model of another observation and action fits nothing here: collect demonstrations "
        "with trafficrl-collect, and name them in algorithm.cloning.demonstrations",
    ),
    LegacyKey(
        name="resume_from",
        reads=text,
        why="a model of another observation and action fits nothing here: training begins anew",
    ),
)

ACTION_KEYS = (
    LegacyKey(
        name="action_mode",
        reads=text,
        to="algorithm.action.kind",
        moves=_action,
        default="continuous",
    ),
    LegacyKey(
        name="phases_per_junction",
        reads=whole,
        why="a signal is decided by a number for each phase that it really has",
    ),
    LegacyKey(name="action_low", reads=number, why=FREE_RANGE),
    LegacyKey(name="action_high", reads=number, why=FREE_RANGE),
    LegacyKey(
        name="cycle_lengths",
        reads=wholes,
        to="algorithm.action.cycle_s",
        moves=_cycle,
        default=[90],
    ),
    LegacyKey(
        name="cycle_strategy",
        reads=one_of("fixed", "random", "sequential", "adaptive"),
        why="with one length there is nothing to choose",
    ),
)
