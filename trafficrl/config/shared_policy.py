"""PPO of one policy that acts for every signal of any network, each from what is around it."""

from dataclasses import dataclass, field

from trafficrl.config.algorithm import ActionConfig, ActionKind, CommonPPOConfig
from trafficrl.config.checks import check_range
from trafficrl.config.observation import ObservationBase, check_features
from trafficrl.errors import ConfigError

__all__ = [
    "LOCAL_PHASE_FEATURES",
    "LOCAL_SIGNAL_FEATURES",
    "LOCAL_VALUE_FEATURES",
    "SharedPPOConfig",
    "SignalObservationConfig",
]

LOCAL_PHASE_FEATURES = (
    "phase_queue",
    "phase_longest_queue",
    "phase_vehicles",
    "phase_approaching",
    "phase_arriving",
    "phase_released",
    "phase_near",
    "phase_next",
    "phase_waiting",
    "phase_delayed",
    "phase_downstream",
    "phase_room",
    "phase_pressure",
    "phase_lanes",
    "phase_current",
)
LOCAL_SIGNAL_FEATURES = (
    "phase_age",
    "clearing",
    "signal_queue",
    "signal_vehicles",
    "neighbour_queue",
    "neighbour_vehicles",
)
LOCAL_VALUE_FEATURES = ("network_queue", "network_vehicles", "network_backlog")


@dataclass(kw_only=True)
class SignalObservationConfig(ObservationBase):
    """Which named features of one signal the policy sees; what they mean is the same everywhere."""

    max_phases: int = 8
    """The most phases that a signal may have; with fewer, the rest is empty and never chosen."""
    reach_m: float = 300.0
    """How far behind a stop line vehicles approach it, past junctions without signals [m]."""
    cell_m: float = 70.0
    """Length of the cells before stop lines in which `phase_near` and `phase_next` count vehicles
    [m]; in 5 s at 50 km/h one drives 70 m. SUMO has a detector on each."""
    phase_features: list[str] = field(default_factory=list)
    """One value for each phase of the signal."""
    signal_features: list[str] = field(default_factory=list)
    """One value for the signal."""
    value_features: list[str] = field(default_factory=list)
    """One value for the network, of which only the value learns; the policy acts without it. With
    any, the value is a centralised one; with none, a signal's value is of its own row (Yu et al.
    2022, The surprising effectiveness of PPO in cooperative multi-agent games)."""

    def __post_init__(self) -> None:
        check_range("algorithm.observation.max_phases", self.max_phases, 2, 64)
        check_range("algorithm.observation.reach_m", self.reach_m, 0, 5000, unit="m")
        check_range("algorithm.observation.cell_m", self.cell_m, 5, 1000, unit="m")
        check_features("phase", self.phase_features)
        check_features("signal", self.signal_features)
        check_features("value", self.value_features)

    @property
    def cells_m(self) -> frozenset[float]:
        """The lengths of cells that any of the features counts in [m]."""
        needed = {"phase_near", "phase_next"} & set(self.phase_features)
        return frozenset({self.cell_m} if needed else ())

    @property
    def masks_phases(self) -> bool:
        """It does."""
        return True

    def check_choice_of_phases(self, kind: str, action: ActionConfig) -> None:
        """Return when a policy that sees this can choose phases.

        Raises:
            ConfigError: it sees nothing of them, or decides something else.
        """
        if not self.phase_features:
            raise ConfigError("algorithm.observation.phase_features is empty: name at least one")
        if action.kind is not ActionKind.next_phase:
            raise ConfigError(
                f"algorithm.kind={kind} chooses phases: set algorithm.action.kind=next_phase, "
                f"got {action.kind.name}"
            )


@dataclass(kw_only=True)
class SharedPPOConfig(CommonPPOConfig):
    """Each signal is an environment of its own to the learner, and all teach one network.

    Steps are decisions of a whole network, as for a policy of all signals together: `n_steps`
    decisions with `batch_size` of them in a gradient step, each with the transitions of all its
    signals.
    """

    kind: str = "ppo_shared"
    observation: SignalObservationConfig = field(default_factory=SignalObservationConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.observation.check_choice_of_phases(self.kind, self.action)
