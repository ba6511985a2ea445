"""Legacy keys of the reward, of how long a training lasts, and of the file itself."""

from trafficrl.config.legacy.keys import LegacyKey, Moved, Moves, Run
from trafficrl.config.legacy.values import comment, number, one_of, switch, text, whole

__all__ = ["EXECUTION_KEYS", "FILE_KEYS", "REWARD_FUNCTIONS", "REWARD_KEYS"]

REWARD_FUNCTIONS = ("empirical", "throughput", "multi_objective")
WEIGHTS = {
    "throughput_bonus": "empirical",
    "per_vehicle": "throughput",
    "waiting_penalty_weight": "throughput",
}
"""Parameter -> the one reward function that has it."""


def _weight(name: str, term: str, sign: float) -> Moves:
    """The weight of one term, of the reward function that knows the name."""

    def move(value: float, run: Run) -> Moved:
        if WEIGHTS[name] != run.reward:
            own = [key for key, function in WEIGHTS.items() if function == run.reward]
            has = f"has {' and '.join(own)}" if own else "has none"
            raise ValueError(f"belongs to reward_function {WEIGHTS[name]}; {run.reward} {has}")
        return Moved({f"reward.terms.{term}.weight": sign * value})

    return move


def _of_all(key: str) -> Moves:
    def move(value: int, run: Run) -> Moved:
        return Moved({key: value * run.envs})

    return move


def _known_version(value: int, run: Run) -> Moved:
    if value != 1:
        raise ValueError(f"must be 1, the only one there is, got {value}")
    return Moved()


def _nothing(value: object, run: Run) -> Moved:
    return Moved()


PER_ENVIRONMENT = "steps of all environments together: each counted for itself then"

REWARD_KEYS = (
    LegacyKey(
        name="reward_function",
        reads=one_of(*REWARD_FUNCTIONS),
        to="reward",
        why="arrivals, waiting time, speed and queues of the whole decision: of its last second "
        "then",
        default="empirical",
    ),
    LegacyKey(
        name="throughput_bonus",
        reads=number,
        to="reward.terms.throughput_vps.weight",
        moves=_weight("throughput_bonus", "throughput_vps", 1.0),
    ),
    LegacyKey(
        name="per_vehicle",
        reads=number,
        to="reward.terms.throughput_vps.weight",
        moves=_weight("per_vehicle", "throughput_vps", 1.0),
    ),
    LegacyKey(
        name="waiting_penalty_weight",
        reads=number,
        to="reward.terms.waiting_time_s.weight",
        why="with its sign: a penalty is below 0",
        moves=_weight("waiting_penalty_weight", "waiting_time_s", -1.0),
    ),
)

EXECUTION_KEYS = (
    LegacyKey(name="total_timesteps", reads=whole, to="execution.total_timesteps"),
    LegacyKey(
        name="checkpoint_freq",
        reads=whole,
        to="execution.checkpoint_freq",
        why=PER_ENVIRONMENT,
        default=10_000,
        moves=_of_all("execution.checkpoint_freq"),
    ),
    LegacyKey(
        name="eval_freq",
        reads=whole,
        to="execution.eval_freq",
        why=PER_ENVIRONMENT,
        moves=_of_all("execution.eval_freq"),
    ),
    LegacyKey(
        name="early_stopping_patience",
        reads=whole,
        to="execution.early_stopping_patience",
        why="acts now: the earlier program never stopped early",
        default=10,
    ),
    LegacyKey(
        name="early_stopping_min_delta",
        reads=number,
        to="execution.early_stopping_min_delta",
        why="acts now: the earlier program never read it",
        default=70.0,
    ),
    LegacyKey(name="end_time", reads=number, to="execution.end_time", default=7200.0),
    LegacyKey(name="parallel_envs", reads=whole, to="execution.parallel_envs", also=("n_envs",)),
    LegacyKey(name="single_env", reads=switch, to="execution.single_env", default=False),
    LegacyKey(name="device", reads=text, to="execution.device"),
    LegacyKey(
        name="models_dir",
        reads=text,
        why="a run has a folder of its own: hydra.run.dir=FOLDER",
    ),
)

FILE_KEYS = (
    LegacyKey(
        name="name", reads=text, to="name of the experiment, or of the scenario", moves=_nothing
    ),
    LegacyKey(name="description", reads=comment, to="comment of the experiment", moves=_nothing),
    LegacyKey(
        name="config_version",
        reads=whole,
        why="only tells the old format",
        moves=_known_version,
    ),
    LegacyKey(
        name="base_config",
        reads=text,
        to="read first, then overlaid",
        moves=_nothing,
    ),
)
