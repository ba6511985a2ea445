"""When vehicles depart: one table, pattern -> function of how many vehicles and until when.

Shapes: N vehicles.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from trafficrl.config.checks import check_choice

__all__ = ["DEPARTURES", "build_departures", "uniform"]

IntArray = npt.NDArray[np.int64]


def build_departures(pattern: str, num_vehicles: int, end_s: float) -> IntArray:
    """(N,) departure times [s] of that pattern: whole seconds in 0..end_s, never falling.

    Raises:
        ConfigError: there is no such pattern.
    """
    check_choice("departure_pattern", pattern, DEPARTURES)
    depart_s = DEPARTURES[pattern](num_vehicles, end_s)
    assert len(depart_s) == num_vehicles
    return depart_s


def uniform(num_vehicles: int, end_s: float) -> IntArray:
    """(N,) evenly spaced departures over the whole time, the first at 0 [s]."""
    if not num_vehicles:
        return np.empty(0, dtype=np.int64)
    return np.floor(np.arange(num_vehicles) * end_s / num_vehicles).astype(np.int64)


DEPARTURES: dict[str, Callable[[int, float], IntArray]] = {"uniform": uniform}
