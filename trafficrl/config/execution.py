"""How a run is carried out: where, how long, with how many environments, and what is kept."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from trafficrl.config.checks import check_choice, check_range
from trafficrl.config.durations import parse_duration_s
from trafficrl.errors import ConfigError

__all__ = [
    "Backend",
    "EvaluationConfig",
    "ExecutionConfig",
    "OnCrash",
    "Score",
    "Simulator",
    "refuse_dry_run",
]

TRACKERS = ("csv", "tensorboard", "wandb", "mlflow")


class Backend(Enum):
    """How SUMO is driven."""

    libsumo = "libsumo"
    """In the process of its environment: fast, one simulation a process."""
    traci = "traci"
    """Through a socket: for the GUI, or several simulations in one process."""


class Simulator(Enum):
    """Which of SUMO's models of traffic is run."""

    micro = "micro"
    """Every vehicle with its own place, speed and lane: what results are worth is decided here."""
    meso = "meso"
    """Queues on edges, many times faster: to train before, and for quick sweeps."""


class OnCrash(Enum):
    """What becomes of an episode whose SUMO or process died, hung or failed."""

    replay = "replay"
    """Its actions are taken again in a new process, so that nothing is lost; dropped if that fails
    too."""
    drop = "drop"
    """The next episode begins."""


class Score(Enum):
    """What decides which policy is best on the validation demand (higher is better)."""

    delay = "delay"
    """Minus the mean delay over all scheduled vehicles [s]."""
    middle_delay = "middle_delay"
    """The same, the mean of the middle half of each scenario's episodes [s]: where now and then
    one locks by chance, that chance does not choose the model."""
    reward = "reward"
    """Sum of rewards of an episode."""


@dataclass(kw_only=True)
class ExecutionConfig:
    """One run, on a laptop or on a cluster."""

    total_timesteps: int = MISSING
    """Environment steps (decisions, summed over all environments) to train."""
    checkpoint_freq: int = MISSING
    """Environment steps between two checkpoints."""
    keep_checkpoints: int = 5
    """How many of the newest checkpoints stay; the best model always stays."""
    eval_freq: int = MISSING
    """Environment steps between two evaluations on the validation demand; 0 for none."""
    validation_seeds: int = 2
    """Validation episodes of each scenario in one evaluation."""
    score: Score = Score.delay
    early_stopping_patience: int = 0
    """Evaluations without an improvement after which training stops; 0 for never."""
    early_stopping_min_delta: float = 0.0
    """Smallest rise of the score that counts as an improvement, in the score's unit."""
    end_time: float = MISSING
    """Simulated time of an episode [s]."""
    parallel_envs: int = MISSING
    """Environments that are stepped side by side, each a process with its own SUMO."""
    single_env: bool = False
    """One environment in the main process instead (to debug); it runs all scenarios in turn."""
    hang_timeout_s: float = 900.0
    """An environment that has not answered for so long has crashed [s]; 0 for never. It holds for
    each decision and for each start of an episode."""
    on_crash: OnCrash = OnCrash.replay
    max_crashes: int = 10
    """Crashed environments, and crashed workers of evaluations, after which one more ends the
    run."""
    simulator: Simulator = Simulator.micro
    """SUMO's model. Results of the two are never compared."""
    backend: Backend = Backend.libsumo
    gui: bool = False
    """Show SUMO's window (needs backend=traci and a display)."""
    device: str = "cpu"
    """Where the policy learns: cpu, cuda, cuda:N or auto."""
    torch_threads: int = 1
    """Threads of the learner, 0 for as many as its job has processors; results are only bitwise
    equal for an equal number."""
    trackers: list[str] = field(default_factory=lambda: ["csv", "tensorboard"])
    """Who is told of each update: csv (metrics.csv, written whether it is named or not),
    tensorboard, wandb and mlflow (`pip install 'trafficrl[wandb,mlflow]'`)."""
    time_limit: str | None = None
    """Wall-clock time after which the run stops by itself, with all that it did saved: seconds,
    h:mm:ss or d-hh:mm:ss; null for none."""
    cache_dir: str = "outputs/cache"
    """Where built networks are kept between runs."""
    models_dir: str = "outputs/models"
    """Where models have their names (`trafficrl-models tag`)."""
    dry_run: bool = False
    """Build everything, make a few steps, tell what a training takes, and leave nothing behind."""

    def __post_init__(self) -> None:
        where = "execution"
        check_range(f"{where}.total_timesteps", self.total_timesteps, 1, unit="environment steps")
        check_range(f"{where}.checkpoint_freq", self.checkpoint_freq, 1, unit="environment steps")
        check_range(f"{where}.keep_checkpoints", self.keep_checkpoints, 1)
        check_range(f"{where}.eval_freq", self.eval_freq, 0, unit="environment steps")
        check_range(f"{where}.validation_seeds", self.validation_seeds, 1)
        check_range(f"{where}.early_stopping_patience", self.early_stopping_patience, 0)
        check_range(f"{where}.early_stopping_min_delta", self.early_stopping_min_delta, 0)
        check_range(f"{where}.end_time", self.end_time, 1, 864000, unit="s")
        check_range(f"{where}.parallel_envs", self.parallel_envs, 1, 512)
        check_range(f"{where}.hang_timeout_s", self.hang_timeout_s, 0, unit="s")
        check_range(f"{where}.max_crashes", self.max_crashes, 0)
        check_range(f"{where}.torch_threads", self.torch_threads, 0, 256)
        for tracker in self.trackers:
            check_choice(f"{where}.trackers", tracker, TRACKERS)
        if self.time_limit is not None:
            parse_duration_s(f"{where}.time_limit", self.time_limit)

    @property
    def time_limit_s(self) -> float | None:
        """The time limit [s]."""
        if self.time_limit is None:
            return None
        return parse_duration_s("execution.time_limit", self.time_limit)


@dataclass(kw_only=True)
class EvaluationConfig:
    """How policies are judged: the same unseen demand for all, through the same driver."""

    baselines: list[str] = field(default_factory=lambda: ["fixed", "actuated", "max_pressure"])
    """Controllers that a trained policy is judged beside; it is compared with the first."""
    seeds: int = 10
    """Test seeds of each scenario."""
    first_seed: int = 0
    """Number of the first of them. Tune classical controllers on others than you report on."""
    confidence: float = 0.95
    """Level of the intervals."""
    workers: int = 0
    """Episodes at once; 0 for one a processor."""
    emissions: bool = True
    """CO2 and fuel of test episodes by SUMO's emission model, for some percent more time."""
    slice_s: float = 900.0
    """Metrics are also kept by scheduled departure, in slices of so many seconds [s]."""
    database: str = "outputs/evaluations"
    """Folder that keeps every test episode for all runs, as Parquet files; empty for none."""
    reuse: bool = True
    """An episode that the database has of the same configuration, SUMO and seed is not run."""

    def __post_init__(self) -> None:
        if not self.baselines or len(set(self.baselines)) != len(self.baselines):
            raise ConfigError(
                f"evaluation.baselines: name at least one controller, each once, got "
                f"{self.baselines}"
            )
        check_range("evaluation.seeds", self.seeds, 1, 100_000)
        check_range("evaluation.first_seed", self.first_seed, 0, 100_000_000)
        check_range("evaluation.confidence", self.confidence, 0.5, 0.999)
        check_range("evaluation.workers", self.workers, 0, 512)
        check_range("evaluation.slice_s", self.slice_s, 1, 864_000, unit="s")


def refuse_dry_run(execution: ExecutionConfig) -> None:
    """Return when a command that does not train is to do what it is there for.

    Raises:
        ConfigError: it is to be tried only.
    """
    if execution.dry_run:
        raise ConfigError("execution.dry_run=true is for trafficrl-train: leave it out here")
