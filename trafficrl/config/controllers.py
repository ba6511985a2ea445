"""Classical controllers and their parameters: one dataclass a kind, one entry a name."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from trafficrl.config.checks import check_range
from trafficrl.config.controller import ControllerConfig
from trafficrl.config.tree_method import ORIGINAL, PREDECESSOR, TreeMethodConfig
from trafficrl.errors import ConfigError

__all__ = [
    "ActuatedConfig",
    "Count",
    "DelayBasedConfig",
    "FixedConfig",
    "GreedyConfig",
    "LongestQueueConfig",
    "MaxPressureConfig",
    "OwnConfig",
    "RandomConfig",
    "SotlConfig",
    "UniformConfig",
    "WebsterConfig",
    "standard_controllers",
]

WHERE = "controller.*"


class Count(Enum):
    """What of a lane's traffic presses for green."""

    vehicles = "vehicles"
    """All vehicles."""
    queue = "queue"
    """Those that stand (slower than 0.1 m/s): a queue that has just got moving counts nothing, so
    that a short interval cuts it off."""


@dataclass(kw_only=True)
class FixedConfig(ControllerConfig):
    """The plans of the network as they are."""

    kind: str = "fixed"


@dataclass(kw_only=True)
class UniformConfig(ControllerConfig):
    """Fixed plans whose phases have equal greens."""

    kind: str = "uniform"
    cycle_s: float = 90.0
    """Of all signals, clearances included [s]."""

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.cycle_s", self.cycle_s, 10, 600, unit="s")


@dataclass(kw_only=True)
class WebsterConfig(ControllerConfig):
    """Fixed plans for the planned demand: Webster's cycle, and greens by critical flows.

    Planned are the trips of the very episode that is judged: more than counts of other days tell.
    """

    kind: str = "webster"
    saturation_flow_vph: float = 1800.0
    """Vehicles that a lane lets pass in an hour of green [veh/h]."""
    yielding_share: float = 0.5
    """Of it while a movement has to yield, where it need not in another phase."""
    start_lost_s: float = 2.0
    """Lost in each phase until a queue moves, beside the clearance [s]."""
    peak_s: float = 900.0
    """The plans are made for the busiest time of that length [s]."""
    min_cycle_s: float = 40.0
    """No cycle is shorter [s]."""
    max_cycle_s: float = 120.0
    """No cycle is longer [s], whatever the demand."""
    green_wave: bool = False
    """All signals have the longest of their cycles, and offsets for the heaviest flows."""

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.saturation_flow_vph", self.saturation_flow_vph, 300, 3600, unit="vph")
        check_range(f"{WHERE}.yielding_share", self.yielding_share, 0, 1)
        check_range(f"{WHERE}.start_lost_s", self.start_lost_s, 0, 10, unit="s")
        check_range(f"{WHERE}.peak_s", self.peak_s, 60, 86_400, unit="s")
        check_range(f"{WHERE}.min_cycle_s", self.min_cycle_s, 10, 300, unit="s")
        check_range(f"{WHERE}.max_cycle_s", self.max_cycle_s, 10, 600, unit="s")
        if self.max_cycle_s < self.min_cycle_s:
            raise ConfigError(
                f"{WHERE}.max_cycle_s must be >= min_cycle_s {self.min_cycle_s:g} [s], "
                f"got {self.max_cycle_s:g}"
            )


@dataclass(kw_only=True)
class ActuatedConfig(ControllerConfig):
    """SUMO's own control by gaps: a green goes on while vehicles follow each other closely."""

    kind: str = "actuated"
    max_green_s: float = 50.0
    """No green goes on longer [s]; a longer minimum green counts."""
    max_gap_s: float = 3.0
    """A longer time between two vehicles ends a green [s]."""
    detector_gap_s: float = 1.0
    """How far before the stop line detectors lie, in travel time at the speed limit [s]: no farther
    than a queue gets moving in the minimum green, or the green ends before its queue starts."""
    passing_time_s: float = 1.9
    """Between two vehicles of a queue [s]: sets the least green where detectors lie far off."""

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.max_green_s", self.max_green_s, 5, 600, unit="s")
        check_range(f"{WHERE}.max_gap_s", self.max_gap_s, 0.1, 60, unit="s")
        check_range(f"{WHERE}.detector_gap_s", self.detector_gap_s, 0.1, 60, unit="s")
        check_range(f"{WHERE}.passing_time_s", self.passing_time_s, 0.1, 60, unit="s")


@dataclass(kw_only=True)
class DelayBasedConfig(ControllerConfig):
    """SUMO's own control by delay: a green goes on while vehicles that lost time approach."""

    kind: str = "delay_based"
    max_green_s: float = 50.0
    """No green goes on longer [s]; a longer minimum green counts."""
    detector_range_m: float = 100.0
    """How far before the stop line vehicles are seen [m]."""
    min_time_loss_s: float = 1.0
    """A vehicle that lost less prolongs no green [s]."""

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.max_green_s", self.max_green_s, 5, 600, unit="s")
        check_range(f"{WHERE}.detector_range_m", self.detector_range_m, 10, 1000, unit="m")
        check_range(f"{WHERE}.min_time_loss_s", self.min_time_loss_s, 0, 600, unit="s")


@dataclass(kw_only=True)
class GreedyConfig(ControllerConfig):
    """What the controllers share that give green to what presses most now."""

    interval_s: float = 15.0
    """Time between two decisions [s]: a short one loses most of it in clearances."""
    max_green_s: float = 60.0
    """After so long a green another phase has its turn, if anything presses for it [s]."""
    count: Count = Count.vehicles

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.interval_s", self.interval_s, 1, 300, unit="s")
        check_range(f"{WHERE}.max_green_s", self.max_green_s, 5, 3600, unit="s")


@dataclass(kw_only=True)
class MaxPressureConfig(GreedyConfig):
    """The phase whose stop-line lanes hold most more than the lanes that they lead to."""

    kind: str = "max_pressure"


@dataclass(kw_only=True)
class LongestQueueConfig(GreedyConfig):
    """The phase whose stop-line lanes hold most, whatever is behind the signal."""

    kind: str = "longest_queue"


@dataclass(kw_only=True)
class SotlConfig(ControllerConfig):
    """Self-organising traffic lights: red counts up who waits, and spares the ends of platoons."""

    kind: str = "sotl"
    interval_s: float = 5.0
    """Time between two decisions [s]."""
    theta_veh_s: float = 20.0
    """A red phase asks for green when its vehicles, counted every second, come to so many
    [veh*s]."""
    min_green_s: float = 15.0
    """No green is shorter [s], and none than the signals' minimum."""
    omega_m: float = 25.0
    """A platoon's end is looked for so far before the stop line [m]."""
    mu_veh: float = 3.0
    """More vehicles than these are no end of a platoon, and may be stopped [veh]."""

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.interval_s", self.interval_s, 1, 300, unit="s")
        check_range(f"{WHERE}.theta_veh_s", self.theta_veh_s, 0, 100_000, unit="veh*s")
        check_range(f"{WHERE}.min_green_s", self.min_green_s, 0, 300, unit="s")
        check_range(f"{WHERE}.omega_m", self.omega_m, 0, 1000, unit="m")
        check_range(f"{WHERE}.mu_veh", self.mu_veh, 0, 1000, unit="veh")


@dataclass(kw_only=True)
class RandomConfig(ControllerConfig):
    """Any phase of each signal: what any other controller should beat."""

    kind: str = "random"
    interval_s: float = 10.0
    """Time between two decisions [s]."""

    def __post_init__(self) -> None:
        check_range(f"{WHERE}.interval_s", self.interval_s, 1, 300, unit="s")


@dataclass(kw_only=True)
class OwnConfig(ControllerConfig):
    """A controller of the user's own, from a file of `extensions`."""

    kind: str = "own"
    function: str = MISSING
    """Its name in the table CONTROLLERS of the file."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """What it is made with beside the network: names and values of its own."""


def standard_controllers() -> dict[str, ControllerConfig]:
    """Every controller that can be named without further ado, with its usual parameters."""
    kinds = (
        FixedConfig(),
        UniformConfig(),
        WebsterConfig(),
        ActuatedConfig(),
        DelayBasedConfig(),
        MaxPressureConfig(),
        LongestQueueConfig(),
        SotlConfig(),
        RandomConfig(),
        TreeMethodConfig(),
    )
    return {
        **{config.kind: config for config in kinds},
        "tree_method_original": ORIGINAL,
        "tree_method_predecessor": PREDECESSOR,
    }
