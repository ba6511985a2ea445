"""How many lanes each street has: from the land use beside it, drawn, or the same everywhere."""

from collections.abc import Callable

import numpy as np

from trafficrl.config.custom_lanes import MOST_LANES
from trafficrl.config.network import GridConfig
from trafficrl.network.grid import Grid, GridStreet
from trafficrl.network.zones import LAND_USES, Zones
from trafficrl.runs.seeding import stream

__all__ = ["generate_lane_counts"]

# How much traffic a land use brings beside a street (published generator).
TRAFFIC_WEIGHT = {
    "Mixed": 1.0,
    "Employment": 1.0,
    "Entertainment/Retail": 1.0,
    "Public Buildings": 0.5,
    "Residential": 0.3,
    "Public Open Space": 0.2,
}
WEIGHT_BY_KIND = np.array([TRAFFIC_WEIGHT[use.name] for use in LAND_USES])
BOUNDARY_FACTOR = 0.8
"""Less traffic passes on the border of the city (published generator)."""

TWO_LANES_FROM = 1.0
THREE_LANES_FROM = 3.5
CELLS_BESIDE_INNER = 24
CELLS_BESIDE_BOUNDARY = 12
"""The published thresholds are for a sum over the cells beside a street, and so many cells of 25 m
lie beside one of 280 m. The mean times these does not depend on the sizes of block and cell."""


def generate_lane_counts(config: GridConfig, grid: Grid, zones: Zones) -> dict[str, int]:
    """Street id -> lanes, never fewer than the signal strategy needs."""
    count = _RULES.get(str(config.lane_count), _same_everywhere)
    counts = count(config, grid, zones)
    return {street: max(lanes, config.least_lanes) for street, lanes in counts.items()}


def _from_land_use(config: GridConfig, grid: Grid, zones: Zones) -> dict[str, int]:
    return {street.id: _realistic_lanes(street, zones) for street in grid.streets}


def _realistic_lanes(street: GridStreet, zones: Zones) -> int:
    kinds, thetas = zones.near(street.start, street.end)
    if not len(kinds):
        return 2
    mean = float(np.mean(WEIGHT_BY_KIND[kinds] * thetas))
    if street.boundary:
        score = mean * CELLS_BESIDE_BOUNDARY * BOUNDARY_FACTOR
    else:
        score = mean * CELLS_BESIDE_INNER
    return 1 + (score >= TWO_LANES_FROM) + (score >= THREE_LANES_FROM)


def _random(config: GridConfig, grid: Grid, zones: Zones) -> dict[str, int]:
    rng = stream(config.network_seed, "lane_count")
    drawn = rng.integers(config.least_lanes, MOST_LANES + 1, size=len(grid.streets))
    return {street.id: int(lanes) for street, lanes in zip(grid.streets, drawn, strict=True)}


def _same_everywhere(config: GridConfig, grid: Grid, zones: Zones) -> dict[str, int]:
    return dict.fromkeys((street.id for street in grid.streets), int(config.lane_count))


_RULES: dict[str, Callable[[GridConfig, Grid, Zones], dict[str, int]]] = {
    "realistic": _from_land_use,
    "random": _random,
}
