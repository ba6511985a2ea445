"""Where trips start and end: pairs of streets by route pattern, weighted by land use.

Shapes: S streets, D day phases, N trips.
Only pairs that a vehicle can drive are ever drawn, so no vehicle is lost on the way. The
distribution is that of drawing start and end apart, again and again until they form such a pair.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trafficrl.config.scenarios import ROUTE_PATTERNS
from trafficrl.demand.road_graph import RoadGraph, reachable_streets
from trafficrl.errors import DemandError
from trafficrl.network.model import DAY_PHASES, Network

__all__ = ["POOLS", "StreetPairs", "build_street_pairs", "check_patterns", "generate_pairs"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

POOLS = {
    "in": ("boundary", "inner"),
    "out": ("inner", "boundary"),
    "inner": ("inner", "inner"),
    "pass": ("boundary", "boundary"),
}
"""Route pattern -> where its trips start and end. Weights are for inner streets; those
of the boundary draw alike, if at all (a one-way street out of the network starts no trip)."""


@dataclass(frozen=True)
class StreetPairs:
    """What may be drawn, and how strongly each street draws."""

    boundary: BoolArray  # (S,)
    allowed: BoolArray  # (S, S) from the row's street to the column's
    depart_weight: FloatArray  # (S, D)
    arrive_weight: FloatArray  # (S, D)


def build_street_pairs(network: Network, graph: RoadGraph) -> StreetPairs:
    """All pairs of streets that a trip may join: connected, and not straight back home.

    Raises:
        DemandError: the network has no street.
    """
    streets = network.streets
    if not streets:
        raise DemandError(f"{network.net_file}: no street on which trips could start or end")
    place = {junction: i for i, junction in enumerate(_junctions(network))}
    first = np.array([place[street.from_junction] for street in streets])
    last = np.array([place[street.to_junction] for street in streets])
    allowed = reachable_streets(graph) & (first[:, None] != last[None, :])
    np.fill_diagonal(allowed, False)
    return StreetPairs(
        boundary=np.array([street.boundary for street in streets], dtype=np.bool_),
        allowed=allowed,
        depart_weight=np.array([street.depart_weight for street in streets], dtype=np.float64),
        arrive_weight=np.array([street.arrive_weight for street in streets], dtype=np.float64),
    )


def _junctions(network: Network) -> Iterable[str]:
    ends = ((street.from_junction, street.to_junction) for street in network.streets)
    return dict.fromkeys(junction for pair in ends for junction in pair)


def check_patterns(pairs: StreetPairs, shares: dict[str, float], phases: IntArray) -> None:
    """Return when every pattern with a share has a pair to draw in each of the day phases.

    Asked before anything is drawn: whether a demand fails must not hang on its seed.

    Raises:
        DemandError: naming the pattern, its pools and how many streets they hold.
    """
    for pattern, share in shares.items():
        for phase in np.unique(phases) if share else ():
            _weigh(pairs, pattern, int(phase))


def generate_pairs(
    pairs: StreetPairs, patterns: IntArray, phases: IntArray, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """(N,) street where each trip starts and (N,) street where it ends.

    Args:
        pairs: what may be drawn.
        patterns: (N,) index into ROUTE_PATTERNS.
        phases: (N,) index into DAY_PHASES.
        rng: gives one number a trip, whatever its pattern and phase.

    Raises:
        DemandError: a pattern has no pair at all.
    """
    quantile = rng.random(len(patterns))
    start, end = np.empty_like(patterns), np.empty_like(patterns)
    groups = patterns * len(DAY_PHASES) + phases
    for group in np.unique(groups):
        pattern, phase = divmod(int(group), len(DAY_PHASES))
        mine = groups == group
        choice = _weigh(pairs, ROUTE_PATTERNS[pattern], phase)
        start[mine], end[mine] = choice.at(quantile[mine])
    return start, end


@dataclass(frozen=True)
class _Choice:
    """Pairs of A starts and B ends, each as likely as the product of its weights if allowed.

    The products themselves, A times B numbers, would not fit into memory for a large city.
    """

    starts: IntArray  # (A,) streets
    ends: IntArray  # (B,) streets
    start_weight: FloatArray  # (A,) of all pairs of a start together
    end_weight: FloatArray  # (B,)
    allowed: BoolArray  # (A, B)

    def at(self, quantile: FloatArray) -> tuple[IntArray, IntArray]:
        """(N,) starts and (N,) ends at the quantiles (N,) of all pairs, start by start."""
        total = np.cumsum(self.start_weight)
        wanted = quantile * total[-1]
        row = _holding(total, wanted)
        share = (wanted - (total - self.start_weight)[row]) / self.start_weight[row]
        column = np.empty_like(row)
        order = np.argsort(row, kind="stable")
        rows, first = np.unique(row[order], return_index=True)
        for one, mine in zip(rows, np.split(order, first[1:]), strict=True):
            weight = np.cumsum(self.end_weight * self.allowed[one])
            column[mine] = _holding(weight, share[mine] * weight[-1])
        return self.starts[row], self.ends[column]


def _holding(cumulative: FloatArray, wanted: FloatArray) -> IntArray:
    """(N,) the pieces that hold the wanted amounts (N,), never one beyond the last with weight."""
    last = np.searchsorted(cumulative, cumulative[-1])
    return np.asarray(np.minimum(np.searchsorted(cumulative, wanted, side="right"), last))


def _weigh(pairs: StreetPairs, pattern: str, phase: int) -> _Choice:
    """What a pattern may draw in a day phase."""
    start_pool, end_pool = POOLS[pattern]
    starts, own_weight = _pool(pairs, start_pool, pairs.depart_weight[:, phase])
    ends, end_weight = _pool(pairs, end_pool, pairs.arrive_weight[:, phase])
    allowed = pairs.allowed[np.ix_(starts, ends)]
    start_weight = own_weight * np.array([row @ end_weight for row in allowed])
    if not start_weight.any():
        num_boundary = int(pairs.boundary.sum())
        raise DemandError(
            f"route pattern {pattern!r} finds no pair of streets ({start_pool} to {end_pool}) "
            f"in the {DAY_PHASES[phase]}: the network has {num_boundary} boundary and "
            f"{len(pairs.boundary) - num_boundary} inner streets; give it a share of 0 or take a "
            f"larger network"
        )
    return _Choice(starts, ends, start_weight, end_weight, allowed)


def _pool(pairs: StreetPairs, pool: str, weight: FloatArray) -> tuple[IntArray, FloatArray]:
    if pool == "boundary":
        streets = np.flatnonzero(pairs.boundary & (weight > 0))
        return streets, np.ones(len(streets))
    streets = np.flatnonzero(~pairs.boundary)
    return streets, weight[streets]
