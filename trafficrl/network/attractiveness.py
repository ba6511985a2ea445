"""How strongly each street draws the start and the end of trips over the day, from land use.

Shapes: D day phases (see `DAY_PHASES`), K kinds of land use, n cells beside a street.
"""

from dataclasses import dataclass
from random import Random

import numpy as np

from trafficrl.network.model import DAY_PHASES, Junction
from trafficrl.network.zones import LAND_USES, FloatArray, IntArray, Zones

__all__ = ["Attraction", "generate_attraction"]

LEAST, MOST = 1, 20

# Kind -> (depart, arrive) in the morning, at midday, in the evening and at night, as the published
# generator has them.
PATTERNS = {
    "Residential": ((17, 1), (6, 4), (3, 18), (1, 4)),
    "Employment": ((1, 18), (6, 6), (18, 1), (1, 1)),
    "Mixed": ((10, 10), (10, 10), (10, 10), (4, 4)),
    "Entertainment/Retail": ((1, 5), (9, 12), (12, 16), (12, 3)),
    "Public Buildings": ((2, 8), (7, 6), (7, 2), (1, 1)),
    "Public Open Space": ((6, 6), (8, 8), (10, 10), (1, 1)),
}
PATTERN_BY_KIND = np.array([PATTERNS[use.name] for use in LAND_USES], dtype=np.float64)
"""(K, D, 2)"""
assert PATTERN_BY_KIND.shape == (len(LAND_USES), len(DAY_PHASES), 2)


@dataclass(frozen=True, slots=True)
class Attraction:
    """Weights of one street, whole numbers 1..20."""

    depart: tuple[float, ...]
    """(D,)"""
    arrive: tuple[float, ...]
    """(D,)"""


def generate_attraction(
    street_id: str, start: Junction, end: Junction, *, zones: Zones, seed: int
) -> Attraction:
    """Weights of a street from the cells beside it, times a factor 1.00..1.99 of its own.

    Mean of the cells' patterns weighted by theta, then the factor, cut to whole numbers 1..20
    (`land_use` of the published generator).
    """
    pattern = _mean_pattern(*zones.near(start, end))
    # Seeded by a string, which Python hashes the same way in every process (SHA-512).
    factor = 1.0 + 0.01 * Random(f"{seed}_{street_id}").randint(0, 99)
    # Less than a hundredth of rounding error must not turn 17.0 into 16.
    weights = np.clip(np.floor(pattern * factor + 1e-9), LEAST, MOST)
    return Attraction(tuple(weights[:, 0].tolist()), tuple(weights[:, 1].tolist()))


def _mean_pattern(kinds: IntArray, thetas: FloatArray) -> FloatArray:
    """(D, 2) weighted by theta; an unattractive or empty surrounding counts as Mixed."""
    total = float(thetas.sum())
    if total <= 0.0:
        return np.array(PATTERNS["Mixed"], dtype=np.float64)
    mean: FloatArray = np.einsum("n,ndw->dw", thetas, PATTERN_BY_KIND[kinds]) / total
    return mean
