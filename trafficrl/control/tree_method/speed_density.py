"""May's speed-density curve of one street, in whole km/h and veh/km/lane as the method has it."""

import math

from trafficrl.config.tree_method import Density, TreeMethodConfig

__all__ = ["SpeedDensity"]


class SpeedDensity:
    """Speed, density, and the speed of the largest flow, for one speed limit.

    u(k) = limit * (1 - (k / jam) ^ (L - 1)) ^ (1 / (1 - M)), rounded, and never below the minimum.
    Source: A. D. May, Traffic Flow Fundamentals (1990), with the constants of the tree method.
    """

    def __init__(self, limit_kmh: float, config: TreeMethodConfig) -> None:
        self.limit_kmh = limit_kmh
        self._jam_vpkm = config.jam_density_vpkm
        self._min_kmh = config.min_speed_kmh
        self._l = config.exponent_l - 1
        self._m = 1 - config.exponent_m
        self._kind = config.density
        densities = range(math.ceil(self._jam_vpkm))
        # The first of several equal flows, as a search upwards finds it.
        self.critical_vpkm = max(densities, key=lambda k: k * self.speed_kmh(k))
        """Density of the largest flow [veh/km/lane]."""
        self.critical_kmh = self.speed_kmh(self.critical_vpkm)
        """Speed of the largest flow, u* [km/h]."""

    def speed_kmh(self, density_vpkm: float) -> float:
        """u(k) [km/h]."""
        filled = math.pow(density_vpkm / self._jam_vpkm, self._l)
        return max(round(self.limit_kmh * math.pow(1 - filled, 1 / self._m)), self._min_kmh)

    def density_vpkm(self, speed_kmh: float) -> int:
        """k at a speed [veh/km/lane]; 0 above the limit, where the curve has none."""
        relative = speed_kmh / self.limit_kmh
        if self._kind is Density.coded:
            filled = math.pow(max(1 - relative, 0), self._m)
        else:
            filled = max(1 - math.pow(relative, self._m), 0)
        return round(self._jam_vpkm * math.pow(filled, 1 / self._l))
