"""Sums of lane values over edges and phases, as matrix products prepared once a network.

Shapes: L lanes, E edges, Q phases of all signals together (signal by signal), S signals.
"""

import numpy as np

from trafficrl.network.approaches import controlled_lanes, downstream_lanes, waiting_lanes
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, IntArray, Lanes

__all__ = ["VEHICLE_SPACE_M", "LaneGroups"]

VEHICLE_SPACE_M = 7.5
"""A standing car and its gap: SUMO's default length 5 m and minGap 2.5 m."""


class LaneGroups:
    """The groups of lanes of one network."""

    def __init__(self, network: Network) -> None:
        lengths = np.array([lane.length_m for lane in network.lanes])
        self._space_veh = np.maximum(lengths / VEHICLE_SPACE_M, 1.0)
        counts = [len(edge.lanes) for edge in network.edges]
        self._edge_start = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
        self._waiting = waiting_lanes(network)
        self._downstream = downstream_lanes(network)
        self._waiting_space_veh = self._waiting @ self._space_veh
        self._downstream_space_veh = np.maximum(self._downstream @ self._space_veh, 1.0)
        sizes = [len(signal.phases) for signal in network.signals]
        self._phase_start = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
        self._num_phases = sum(sizes)
        self.phase_names = [f"{s.id}/{p.name}" for s in network.signals for p in s.phases]
        self.edge_limit_mps = np.array([edge.speed_mps for edge in network.edges])
        self.edge_length_m = np.array([edge.length_m for edge in network.edges])
        self.edge_space_veh: FloatArray = self.by_edge(self._space_veh)
        self.controlled = controlled_lanes(network)
        self.num_signals = len(network.signals)

    def by_edge(self, lane_values: FloatArray) -> FloatArray:
        """(E,) sums of (L,) values over the lanes of each edge."""
        sums: FloatArray = np.add.reduceat(lane_values, self._edge_start)
        return sums

    def edge_speed_mps(self, lanes: Lanes) -> FloatArray:
        """(E,) mean speed over vehicles; the limit where an edge is empty [m/s]."""
        vehicles = self.by_edge(lanes.vehicles_veh)
        moved = self.by_edge(lanes.vehicles_veh * lanes.speed_mps)
        speed_mps: FloatArray = np.divide(
            moved, vehicles, out=self.edge_limit_mps.copy(), where=vehicles > 0
        )
        return speed_mps

    def edge_flow_vph(self, lanes: Lanes) -> FloatArray:
        """(E,) flow = density * speed (the fundamental relation) [veh/h]."""
        moved = self.by_edge(lanes.vehicles_veh * lanes.speed_mps)
        flow_vph: FloatArray = moved / self.edge_length_m * 3600.0
        return flow_vph

    def network_speed_mps(self, lanes: Lanes) -> float:
        """Mean speed over all vehicles; the mean limit when there is none [m/s]."""
        vehicles = float(lanes.vehicles_veh.sum())
        if not vehicles:
            return float(self.edge_limit_mps.mean())
        return float(lanes.vehicles_veh @ lanes.speed_mps) / vehicles

    def waiting_share(self, lane_values_veh: FloatArray) -> FloatArray:
        """(Q,) vehicles on the lanes that wait for each phase, as a share of their space."""
        share: FloatArray = self._waiting @ lane_values_veh / self._waiting_space_veh
        return share

    def downstream_share(self, lane_values_veh: FloatArray) -> FloatArray:
        """(Q,) vehicles on the lanes that each phase leads to, as a share of their space."""
        share: FloatArray = self._downstream @ lane_values_veh / self._downstream_space_veh
        return share

    def phase_waiting_s(self, lanes: Lanes) -> FloatArray:
        """(Q,) mean waiting time of the vehicles that wait for each phase [s]."""
        vehicles = np.maximum(self._waiting @ lanes.vehicles_veh, 1.0)
        waiting_s: FloatArray = self._waiting @ lanes.waiting_s / vehicles
        return waiting_s

    def one_hot(self, phase: IntArray) -> FloatArray:
        """(Q,) 1 at each signal's phase (S,)."""
        row = np.zeros(self._num_phases)
        row[self._phase_start + phase] = 1.0
        return row
