"""The mean speed of each edge over an interval, from what a traffic state holds."""

from collections.abc import Callable

import numpy as np

from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["EdgeSpeeds", "lane_sampled_mean_speeds", "sampled_mean_speeds", "vehicle_mean_speeds"]

EdgeSpeeds = Callable[[TrafficState], FloatArray]
"""From a state to (E,) mean speeds over the last interval [m/s]."""


def vehicle_mean_speeds(network: Network) -> EdgeSpeeds:
    """Means over the vehicles that were on an edge, each as long as it was there.

    The limit where there were none.
    """
    first_lane = np.cumsum([0, *(len(edge.lanes) for edge in network.edges)])[:-1]
    limit_mps = np.array([edge.speed_mps for edge in network.edges])

    def speeds(state: TrafficState) -> FloatArray:
        vehicles = np.add.reduceat(state.mean.vehicles_veh, first_lane)
        moved = np.add.reduceat(state.mean.vehicles_veh * state.mean.speed_mps, first_lane)
        mean: FloatArray = np.divide(moved, vehicles, out=limit_mps.copy(), where=vehicles > 0)
        return mean

    return speeds


def sampled_mean_speeds(state: TrafficState) -> FloatArray:
    """Means over the moments at which lanes were read, each over the vehicles that were there."""
    speeds_mps: FloatArray = state.edge_speeds_mps()[0]
    return speeds_mps


def lane_sampled_mean_speeds(state: TrafficState) -> FloatArray:
    """Means over the same moments, each as SUMO has had it since 1.13."""
    speeds_mps: FloatArray = state.edge_speeds_mps()[1]
    return speeds_mps
