"""The ways that the vehicles of a scenario plan to take, and how many take each.

What drivers find out while they drive is not known before: who is routed by SUMO is taken to choose
the way of least time on empty streets.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trafficrl.demand.paths import CheapestPaths
from trafficrl.demand.road_graph import build_road_graph
from trafficrl.demand.scenario import Scenario, read_departures
from trafficrl.network.model import Network

__all__ = ["PlannedWay", "planned_ways"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlannedWay:
    """A way from its first edge to its last."""

    edges: tuple[int, ...]
    """Indices into the network's edges."""
    flow_vph: float
    """Vehicles that set out on it in the busiest time [veh/h]."""


def planned_ways(
    scenario: Scenario, network: Network, *, step_s: float, peak_s: float
) -> list[PlannedWay]:
    """The ways of all vehicles that are due; vehicles whose way nobody can tell are left out.

    Args:
        scenario: what is to drive.
        network: where it drives.
        step_s: of the simulation [s].
        peak_s: flows are as high as in the busiest time of that length [s], all ways alike.

    Raises:
        DemandError: a route file is missing or damaged, or nobody is due.
    """
    departures = read_departures(scenario, network, step_s=step_s)
    graph = build_road_graph(network)
    times_s = [
        length / speed for length, speed in zip(graph.length_m, graph.speed_mps, strict=True)
    ]
    fastest = CheapestPaths(graph, times_s)
    length_s = scenario.end_s - scenario.begin_s
    peak = _busiest(departures.depart_s, peak_s) if peak_s < length_s else len(departures)
    vph = 3600.0 / min(peak_s, length_s) * peak / len(departures)
    return [
        PlannedWay(edges, count * vph)
        for named, count in Counter(departures.ways).items()
        if (edges := _whole(named, fastest))
    ]


def _busiest(depart_s: FloatArray, peak_s: float) -> int:
    """The most departures, which are in order, within any time of that length."""
    after = np.searchsorted(depart_s, depart_s + peak_s)
    return int((after - np.arange(len(depart_s))).max())


def _whole(named: Sequence[int], fastest: CheapestPaths) -> tuple[int, ...]:
    """All edges of a way of which some are named; none where there is a gap or a single edge."""
    edges = list(named[:1])
    for here, there in pairwise(named):
        joined = there in fastest.graph.successors[here]
        between = (here, there) if joined else fastest.between(here, there)
        if not between:
            return ()
        edges += between[1:]
    return tuple(edges)
