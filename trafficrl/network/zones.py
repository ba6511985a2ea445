"""Land use of a generated city: square cells in clusters, each with its own attractiveness theta.

Shapes: X columns, Y rows of cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from trafficrl.errors import NetworkError
from trafficrl.network.model import Junction, LandUse

__all__ = ["LAND_USES", "FloatArray", "IntArray", "Zones", "generate_zones"]

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]

MOST_CELLS = 400_000
"""More than a city needs, and few enough for memory."""
ADJACENT_M = 10.0
"""A cell belongs to the streets that are closer than this (published generator)."""
FREE = -1


@dataclass(frozen=True, slots=True)
class LandUseKind:
    """How common a land use is and how large its clusters grow (published generator)."""

    name: str
    share: float
    max_cells: int


LAND_USES = (
    LandUseKind("Residential", 0.34, 1000),
    LandUseKind("Employment", 0.10, 500),
    LandUseKind("Public Buildings", 0.12, 200),
    LandUseKind("Mixed", 0.24, 300),
    LandUseKind("Entertainment/Retail", 0.08, 40),
    LandUseKind("Public Open Space", 0.12, 100),
)


@dataclass(frozen=True)
class Zones:
    """The cells of a city as arrays."""

    x_m: FloatArray
    """(X + 1,) borders of the columns [m]."""
    y_m: FloatArray
    """(Y + 1,) borders of the rows [m]."""
    kind: IntArray
    """(X, Y) index into `LAND_USES`."""
    theta: FloatArray
    """(X, Y) attractiveness of the cell, 0..1."""

    def near(self, start: Junction, end: Junction) -> tuple[IntArray, FloatArray]:
        """Kinds and thetas, each (n,), of the cells closer than `ADJACENT_M` to a street."""
        gap_x = _gap(self.x_m, start.x_m, end.x_m)
        gap_y = _gap(self.y_m, start.y_m, end.y_m)
        columns, rows = np.flatnonzero(gap_x < ADJACENT_M), np.flatnonzero(gap_y < ADJACENT_M)
        close = np.hypot(gap_x[columns, None], gap_y[None, rows]) < ADJACENT_M
        block = np.ix_(columns, rows)
        return self.kind[block][close], self.theta[block][close]

    def cells(self) -> tuple[LandUse, ...]:
        """The cells one by one, column after column."""
        width, height = np.diff(self.x_m), np.diff(self.y_m)
        return tuple(
            LandUse(
                float(self.x_m[column]),
                float(self.y_m[row]),
                float(width[column]),
                float(height[row]),
                LAND_USES[self.kind[column, row]].name,
                float(self.theta[column, row]),
            )
            for column, row in np.ndindex(self.kind.shape)
        )


def generate_zones(junctions: Sequence[Junction], cell_m: float, *, seed: int) -> Zones:
    """Cells over the bounding box of the junctions, stretched to fit, with clustered land use.

    Raises:
        NetworkError: so small a cell that the city would have too many of them.
    """
    x_m = _borders([junction.x_m for junction in junctions], cell_m)
    y_m = _borders([junction.y_m for junction in junctions], cell_m)
    shape = (len(x_m) - 1, len(y_m) - 1)
    if shape[0] * shape[1] > MOST_CELLS:
        raise NetworkError(
            f"network.land_use_block_size_m {cell_m:g} [m] gives {shape[0] * shape[1]} cells in "
            f"this city, at most {MOST_CELLS}: choose larger cells"
        )
    # Python's generator from the bare seed, twice, as the published generator has it: so that a
    # published network_seed means the published city.
    kinds = _generate_kinds(shape, Random(seed))
    return Zones(x_m, y_m, kinds, _generate_theta(shape, Random(seed)))


def _generate_theta(shape: tuple[int, int], rng: Random) -> FloatArray:
    drawn = [rng.normalvariate(0.5, 0.2) for _ in range(shape[0] * shape[1])]
    theta: FloatArray = np.clip(np.array(drawn), 0.0, 1.0).reshape(shape)
    return theta


def _borders(places_m: Sequence[float], cell_m: float) -> FloatArray:
    low, high = min(places_m), max(places_m)
    return np.linspace(low, high, max(1, int((high - low) / cell_m)) + 1)


def _gap(borders: FloatArray, one: float, other: float) -> FloatArray:
    low, high = min(one, other), max(one, other)
    return np.maximum(0.0, np.maximum(borders[:-1] - high, low - borders[1:]))


def _generate_kinds(shape: tuple[int, int], rng: Random) -> IntArray:
    """(X, Y) kinds: each takes its share in clusters; what is left over is drawn evenly."""
    kinds = np.full(shape, FREE, dtype=np.int64)
    for index, use in enumerate(LAND_USES):
        remaining = round(kinds.size * use.share)
        while remaining > 0 and (free := np.flatnonzero(kinds == FREE)).size:
            start = int(free[rng.randrange(free.size)])
            remaining -= _grow(kinds, start, index, min(remaining, use.max_cells))
    left = kinds == FREE
    kinds[left] = [rng.randrange(len(LAND_USES)) for _ in range(int(left.sum()))]
    return kinds


def _grow(kinds: IntArray, start: int, index: int, most: int) -> int:
    """How many cells the cluster took: breadth first over free neighbours from a flat index."""
    columns, rows = kinds.shape
    first = divmod(start, rows)
    kinds[first] = index
    cluster = [first]
    for column, row in cluster:
        for place in ((column - 1, row), (column + 1, row), (column, row - 1), (column, row + 1)):
            if len(cluster) >= most:
                return len(cluster)
            inside = 0 <= place[0] < columns and 0 <= place[1] < rows
            if inside and kinds[place] == FREE:
                kinds[place] = index
                cluster.append(place)
    return len(cluster)
