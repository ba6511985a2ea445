"""How strongly each street draws the start and the end of trips over the day.

Shapes: D day phases (see `DAY_PHASES`), K kinds of land use, n cells beside a street.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np

from trafficrl.config.network import Attractiveness, GridConfig
from trafficrl.network.grid import GridStreet
from trafficrl.network.model import DAY_PHASES
from trafficrl.network.zones import LAND_USES, FloatArray, IntArray, Zones
from trafficrl.runs.seeding import stream

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


def generate_attraction(street: GridStreet, config: GridConfig, zones: Zones) -> Attraction:
    """Weights of a street, the same in every process, by the method that the configuration names.

    Cut to whole numbers 1..20. The published generator draws parts of two methods from Python's
    hash of a name, which differs from process to process; here a stream of the network's seed with
    that name takes its place, with the same distribution.
    """
    values = _METHODS[config.attractiveness](street, config.network_seed, zones)
    # Less than a hundredth of rounding error must not turn 17.0 into 16.
    weights = np.clip(np.floor(values + 1e-9), LEAST, MOST)
    return Attraction(tuple(weights[:, 0].tolist()), tuple(weights[:, 1].tolist()))


def _land_use(street: GridStreet, seed: int, zones: Zones) -> FloatArray:
    """(D, 2) mean of the cells' patterns weighted by theta, times a factor 1.00..1.99."""
    pattern = _mean_pattern(*zones.near(street.start, street.end))
    # Seeded by a string, which Python hashes the same way in every process (SHA-512).
    factor = 1.0 + 0.01 * Random(f"{seed}_{street.id}").randint(0, 99)
    return pattern * factor


def _poisson(street: GridStreet, seed: int, zones: Zones) -> FloatArray:
    """(D, 2) Poisson values, each drawn for itself, around a mean 10.00..19.99 of the day phase.

    The mean is 10 + 0.01 n, where n in 0..999 was `hash(phase) % 1000`: now it is drawn from the
    stream of the day phase, one for the whole city. Land use does not count.
    """
    extra = [stream(seed, "poisson", phase).integers(1000) for phase in DAY_PHASES]
    means = 10.0 + 0.01 * np.array(extra, dtype=np.float64)
    drawn = stream(seed, "poisson", "street", street.id).poisson(means[:, None], (len(means), 2))
    values: FloatArray = drawn.astype(np.float64)
    return values


def _iac(street: GridStreet, seed: int, zones: Zones) -> FloatArray:
    """(D, 2) land use times the street's own attraction, mood and place (`iac`).

    Attraction is 1 + 0.001 n, n in 0..999; place is 1 + 0.005 m, m in 0..99, at most 1.3; n and m
    were hashes of the street's id and are drawn from its stream. Mood is N(1, 0.2) within 0.7..1.5.
    """
    rng = stream(seed, "iac", street.id)
    attraction = 1.0 + 0.001 * rng.integers(1000)
    mood = np.clip(rng.normal(1.0, 0.2), 0.7, 1.5)
    place = min(1.0 + 0.005 * rng.integers(100), 1.3)
    values: FloatArray = _land_use(street, seed, zones) * attraction * mood * place
    return values


def _mean_pattern(kinds: IntArray, thetas: FloatArray) -> FloatArray:
    """(D, 2) weighted by theta; an unattractive or empty surrounding counts as Mixed."""
    total = float(thetas.sum())
    if total <= 0.0:
        return np.array(PATTERNS["Mixed"], dtype=np.float64)
    mean: FloatArray = np.einsum("n,ndw->dw", thetas, PATTERN_BY_KIND[kinds]) / total
    return mean


_METHODS: dict[Attractiveness, Callable[[GridStreet, int, Zones], FloatArray]] = {
    Attractiveness.land_use: _land_use,
    Attractiveness.poisson: _poisson,
    Attractiveness.iac: _iac,
}
