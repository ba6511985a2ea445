"""What a policy sees: the names of features of the whole network, and in which order they stand."""

from dataclasses import dataclass, field

from trafficrl.config.execution import Simulator
from trafficrl.errors import ConfigError

__all__ = [
    "EDGE_FEATURES",
    "NETWORK_FEATURES",
    "PHASE_FEATURES",
    "SIGNAL_FEATURES",
    "ObservationBase",
    "ObservationConfig",
    "check_features",
    "check_places",
]

EDGE_FEATURES = (
    "speed_ratio",
    "normalized_density",
    "normalized_queue",
    "normalized_flow",
    "congestion_flag",
    "is_bottleneck",
    "normalized_time_loss",
)
PHASE_FEATURES = ("phase_queue", "phase_vehicles", "phase_downstream", "phase_waiting")
SIGNAL_FEATURES = ("current_phase", "phase_age")
NETWORK_FEATURES = (
    "bottleneck_ratio",
    "vehicles_normalized",
    "avg_speed_normalized",
    "backlog_normalized",
    "time_normalized",
)


@dataclass(kw_only=True)
class ObservationBase:
    """What a policy sees: the whole network at once, or each signal by itself."""

    @property
    def cells_m(self) -> frozenset[float]:
        """The lengths of cells before stop lines that any of the features counts in [m]."""
        return frozenset()

    @property
    def masks_phases(self) -> bool:
        """It tells the policy which phases may be chosen."""
        return False


def check_places(cells_m: frozenset[float], simulator: Simulator) -> None:
    """Return when SUMO's model can tell where on a lane vehicles are, or nobody asks.

    Raises:
        ConfigError: it cannot.
    """
    if cells_m and simulator is Simulator.meso:
        raise ConfigError(
            "algorithm.observation.phase_features: phase_near and phase_next do not go with "
            "execution.simulator=meso, which knows no places on a lane: leave them out, as "
            "algorithm=ppo_shared_meso does, or take execution.simulator=micro"
        )


def check_features(scope: str, names: list[str]) -> None:
    """Return when each feature is named once; which there are is for `config/extensions.py`.

    Raises:
        ConfigError: one is named twice.
    """
    where = f"algorithm.observation.{scope}_features"
    if len(set(names)) != len(names):
        raise ConfigError(f"{where}: a feature is named twice in {names}")


@dataclass(kw_only=True)
class ObservationConfig(ObservationBase):
    """Which named features of the whole network the policy sees, in this order."""

    edge_features: list[str] = field(default_factory=list)
    """One value for each street edge."""
    phase_features: list[str] = field(default_factory=list)
    """One value for each phase of each signal."""
    signal_features: list[str] = field(default_factory=list)
    """One value for each signal; `current_phase` has one for each phase."""
    network_features: list[str] = field(default_factory=list)
    """One value for the whole network."""

    def __post_init__(self) -> None:
        for scope in ("edge", "phase", "signal", "network"):
            check_features(scope, getattr(self, f"{scope}_features"))

    @property
    def is_empty(self) -> bool:
        """Nothing is seen at all."""
        return not (
            self.edge_features
            or self.phase_features
            or self.signal_features
            or self.network_features
        )
