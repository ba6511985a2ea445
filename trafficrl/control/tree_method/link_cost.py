"""What it costs that a street is slow: time lost by its flow over an interval."""

from dataclasses import dataclass

from trafficrl.config.tree_method import ReferenceSpeed, TreeMethodConfig
from trafficrl.control.tree_method.speed_density import SpeedDensity

__all__ = ["LinkCost", "LinkLoad"]


@dataclass(frozen=True, slots=True)
class LinkLoad:
    """One street over one interval."""

    loaded: bool
    """Slower than where its flow would be largest."""
    cost: int
    """Time lost [veh*min]; 0 unless loaded. Negative where the reference speed lies below the
    threshold of being loaded, as in the predecessor."""


class LinkCost:
    """The cost of one street by its mean speed.

    Args:
        limit_kmh: Speed limit [km/h].
        length_m: Length of the street without its heads [m].
        num_lanes: Lanes of the street without its heads.
    """

    def __init__(
        self, config: TreeMethodConfig, *, limit_kmh: float, length_m: float, num_lanes: int
    ) -> None:
        self._curve = SpeedDensity(limit_kmh, config)
        self._length_m = length_m
        self._num_lanes = num_lanes
        self._min_kmh = config.min_speed_kmh
        minutes = config.cost_interval_min
        self._per_hour = 60 / (config.interval_s / 60 if minutes is None else minutes)
        self.threshold_kmh = config.load_factor * self._curve.critical_kmh
        """The street is loaded below that [km/h]."""
        self._reference_kmh = {
            ReferenceSpeed.critical: self._curve.critical_kmh,
            ReferenceSpeed.threshold: self.threshold_kmh,
            ReferenceSpeed.free_flow: limit_kmh,
        }[config.reference_speed]

    def load(self, mean_speed_kmh: float) -> LinkLoad:
        """What the street costs after an interval at that speed."""
        speed_kmh = max(round(mean_speed_kmh), self._min_kmh)
        if not speed_kmh < self.threshold_kmh:
            return LinkLoad(loaded=False, cost=0)
        flow_vph = speed_kmh * self._curve.density_vpkm(speed_kmh)
        flow_veh = flow_vph * self._num_lanes / self._per_hour
        lost_min = (self._travel_h(speed_kmh) - self._travel_h(self._reference_kmh)) * 60
        return LinkLoad(loaded=True, cost=round(flow_veh * lost_min))

    def _travel_h(self, speed_kmh: float) -> float:
        """Time on the street, or on as much of it as is covered in one interval [h]."""
        reach_m = min(round(speed_kmh * 1000 / self._per_hour), self._length_m)
        return reach_m / 1000 / speed_kmh
