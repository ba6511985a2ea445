"""The tree method's constants and switches, and three presets of them.

Two published variants differ from each other and from the method's own theory. `ORIGINAL` is the
study that introduced it, `PREDECESSOR` the variant of the system before this one; the defaults keep
the method and mend what is wrong in both.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Optional

from trafficrl.config.checks import check_range
from trafficrl.config.controller import ControllerConfig

__all__ = [
    "ORIGINAL",
    "PREDECESSOR",
    "PRESETS",
    "Clamp",
    "Density",
    "DurationRule",
    "HeadGrouping",
    "ReferenceSpeed",
    "SpeedMean",
    "TreeMethodConfig",
]


class Density(Enum):
    """How density follows from speed."""

    may = "may"
    """The inverse of the speed-density curve (May)."""
    coded = "coded"
    """The formula of both earlier programs. It is no inverse: nearly jam density at any delay."""


class ReferenceSpeed(Enum):
    """The speed at which a street loses no time."""

    critical = "critical"
    """Where its flow is largest (u*)."""
    threshold = "threshold"
    """Below which it counts as loaded (load_factor * u*), so that no cost is negative."""
    free_flow = "free_flow"
    """Its limit."""


class SpeedMean(Enum):
    """What the speed of a street over an interval is the mean of."""

    vehicles = "vehicles"
    """The vehicles that were on it, each as long as it was there."""
    seconds = "seconds"
    """The means of the vehicles at the samples, all alike: a street without vehicles counts as free
    flow then. SUMO's own mean speed of an edge up to 1.12, which the original was run on."""
    seconds_by_lanes = "seconds_by_lanes"
    """SUMO's own mean speeds at the samples since 1.13: the same, but each empty lane counts as one
    vehicle at the limit (eclipse-sumo #10345)."""


class HeadGrouping(Enum):
    """Which stop-line lanes of a street share one part of its cost."""

    lanes = "lanes"
    """Those that lead to the same streets in the same phases."""
    edges = "edges"
    """Those of one edge: for networks that have an edge for each movement."""


class DurationRule(Enum):
    """How phase costs become the durations of the next cycle."""

    baby_steps = "baby_steps"
    """A step from the last durations towards the costly phases; the larger the cost, the longer."""
    naive = "naive"
    """Shares of the cycle in proportion to the costs."""
    uniform = "uniform"
    """Equal durations."""
    random = "random"
    """A random phase every `min_phase_s`."""
    planned = "planned"
    """Those of the network's fixed-time plan."""


class Clamp(Enum):
    """What is done with durations that do not fill the cycle, or are too short."""

    original = "original"
    """Nothing: the last phase of a cycle is cut or prolonged when it is shown."""
    predecessor = "predecessor"
    """Each is raised to the minimum, and the others make up for it until the cycle is filled."""


@dataclass(kw_only=True)
class TreeMethodConfig(ControllerConfig):
    """Constants and switches of the tree method."""

    kind: str = "tree_method"
    interval_s: float = 90.0
    """Cycle of all signals, and time between two decisions [s]."""
    cost_interval_min: Optional[float] = None  # noqa: UP045 - OmegaConf reads typing.Optional only
    """Time that flow and distance of the cost are counted for [min]; None: the interval. Both
    earlier programs had 1.5, whatever their interval."""
    jam_density_vpkm: float = 150.0
    """Density at a standstill [veh/km/lane]."""
    min_speed_kmh: float = 3.0
    """No street is taken to be slower [km/h]."""
    exponent_m: float = 0.8
    """M of the speed-density curve."""
    exponent_l: float = 2.8
    """L of the speed-density curve."""
    min_phase_s: float = 10.0
    """No phase lasts less, its clearance included [s]; a signal whose cycle has no room for that
    has equal shares of the cycle as its minimum."""
    load_factor: float = 1.0
    """A street is loaded below so many times its critical speed."""
    density: Density = Density.may
    reference_speed: ReferenceSpeed = ReferenceSpeed.critical
    weight_round: Optional[int] = None  # noqa: UP045 - as above
    """Decimals of the weights and weighted costs of streets in trees; None: not rounded."""
    divide_by_phases: bool = True
    """A head that is green in several phases gives each an equal part of its cost; otherwise each
    phase gets the whole."""
    speed_mean: SpeedMean = SpeedMean.vehicles
    sample_s: Optional[float] = None  # noqa: UP045 - as above
    """How often the lanes are read where it drives an episode by itself [s]; None: as often as for
    all others, `reward.sample_s`. Both earlier programs read them every second."""
    heads: HeadGrouping = HeadGrouping.lanes
    permissive_green: bool = True
    """Links that yield (g) count as served by a phase too."""
    duration_rule: DurationRule = DurationRule.baby_steps
    clamp: Clamp = Clamp.predecessor

    def __post_init__(self) -> None:
        key = "controller.*."
        check_range(key + "interval_s", self.interval_s, 30, 300, unit="s")
        if self.cost_interval_min is not None:
            check_range(key + "cost_interval_min", self.cost_interval_min, 0.1, 60, unit="min")
        check_range(key + "jam_density_vpkm", self.jam_density_vpkm, 50, 500, unit="veh/km/lane")
        check_range(key + "min_speed_kmh", self.min_speed_kmh, 0.1, 30, unit="km/h")
        check_range(key + "exponent_m", self.exponent_m, 0, 0.99)
        check_range(key + "exponent_l", self.exponent_l, 1.01, 10)
        check_range(key + "min_phase_s", self.min_phase_s, 1, 100, unit="s")
        check_range(key + "load_factor", self.load_factor, 0.1, 3)
        if self.sample_s is not None:
            check_range(key + "sample_s", self.sample_s, 0.1, 60, unit="s")
        if self.weight_round is not None:
            check_range(key + "weight_round", self.weight_round, 0, 12)


ORIGINAL = TreeMethodConfig(
    cost_interval_min=1.5,
    density=Density.coded,
    weight_round=2,
    speed_mean=SpeedMean.seconds,
    sample_s=1.0,
    heads=HeadGrouping.edges,
    permissive_green=False,
    clamp=Clamp.original,
)
# It ran on its own networks alone, whose signals had no yielding green: a left turn that yields to
# nobody there has a `G`, and counts as served. Here it yields, and counts as well.
PREDECESSOR = TreeMethodConfig(
    cost_interval_min=1.5,
    density=Density.coded,
    load_factor=1.2,
    weight_round=2,
    speed_mean=SpeedMean.seconds_by_lanes,
    sample_s=1.0,
    heads=HeadGrouping.edges,
)
PRESETS = {
    "corrected": TreeMethodConfig(),
    "original": ORIGINAL,
    "predecessor": PREDECESSOR,
}
