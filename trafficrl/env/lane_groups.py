"""Sums of lane values over edges and phases, each made once a state, whoever wants it.

Shapes: L lanes, E edges, Q phases of all signals together (signal by signal), S signals.
"""

from functools import cached_property

import numpy as np

from trafficrl.network.approaches import controlled_lanes, downstream_lanes, waiting_lanes
from trafficrl.network.model import Network
from trafficrl.simulation.lane_sums import LaneSums
from trafficrl.simulation.state import FloatArray, IntArray, Lanes, TrafficState

__all__ = ["VEHICLE_SPACE_M", "GroupedTraffic", "LaneGroups"]

VEHICLE_SPACE_M = 7.5
"""A standing car and its gap: SUMO's default length 5 m and minGap 2.5 m."""


class LaneGroups:
    """The groups of lanes of one network."""

    def __init__(self, network: Network) -> None:
        lengths = np.array([lane.length_m for lane in network.lanes])
        space_veh = np.maximum(lengths / VEHICLE_SPACE_M, 1.0)
        index = network.lane_index
        self.edges = LaneSums(
            [[index[lane.id] for lane in edge.lanes] for edge in network.edges], len(lengths)
        )
        waiting, downstream = waiting_lanes(network), downstream_lanes(network)
        self.waiting_space_veh: FloatArray = waiting @ space_veh
        self.downstream_space_veh: FloatArray = np.maximum(downstream @ space_veh, 1.0)
        # First the lanes that wait for each phase (Q), then those that it leads to (Q).
        lanes_of_phases = [row.nonzero()[0].tolist() for row in (*waiting, *downstream)]
        self.phases = LaneSums(lanes_of_phases, len(lengths))
        sizes = [len(signal.phases) for signal in network.signals]
        self._phase_start = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
        self.num_phases = sum(sizes)
        self.phase_names = [f"{s.id}/{p.name}" for s in network.signals for p in s.phases]
        self.edge_limit_mps = np.array([edge.speed_mps for edge in network.edges])
        self.mean_limit_mps = float(self.edge_limit_mps.mean())
        self.edge_length_m = np.array([edge.length_m for edge in network.edges])
        self.edge_space_veh: FloatArray = self.edges(space_veh)[0]
        self.controlled = controlled_lanes(network)
        self.num_controlled = max(float(self.controlled.sum()), 1.0)
        self.num_signals = len(network.signals)

    def network_speed_mps(self, lanes: Lanes) -> float:
        """Mean speed over all vehicles; the mean limit when there is none [m/s]."""
        vehicles = float(lanes.vehicles_veh.sum())
        if not vehicles:
            return self.mean_limit_mps
        return float(lanes.vehicles_veh @ lanes.speed_mps) / vehicles

    def one_hot(self, phase: IntArray) -> FloatArray:
        """(Q,) 1 at each signal's phase (S,)."""
        row = np.zeros(self.num_phases)
        row[self._phase_start + phase] = 1.0
        return row


class GroupedTraffic:
    """A state by edges and by phases, as far as it is asked for."""

    def __init__(self, state: TrafficState, groups: LaneGroups) -> None:
        self.state = state
        self.groups = groups

    @cached_property
    def edges(self) -> FloatArray:
        """(6, E) sums: now vehicles, queue, waiting time; in the mean vehicles, moved, delayed."""
        now, mean = self.state.now, self.state.mean
        return self.groups.edges(
            now.vehicles_veh,
            now.queue_veh,
            now.waiting_s,
            mean.vehicles_veh,
            mean.vehicles_veh * mean.speed_mps,
            mean.delayed_veh,
        )

    @cached_property
    def edge_speed_mps(self) -> FloatArray:
        """(E,) mean speed over vehicles in the mean; the limit where an edge is empty [m/s]."""
        vehicles, moved = self.edges[3], self.edges[4]
        limit_mps = self.groups.edge_limit_mps
        speed_mps: FloatArray = np.divide(moved, vehicles, out=limit_mps.copy(), where=vehicles > 0)
        return speed_mps

    @property
    def edge_flow_vph(self) -> FloatArray:
        """(E,) flow = density * speed (the fundamental relation) in the mean [veh/h]."""
        flow_vph: FloatArray = self.edges[4] / self.groups.edge_length_m * 3600.0
        return flow_vph

    @cached_property
    def phases(self) -> FloatArray:
        """(3, 2 Q) sums of vehicles, queue and waiting time now: over the lanes that wait for each
        phase, then over those that it leads to."""
        now = self.state.now
        return self.groups.phases(now.vehicles_veh, now.queue_veh, now.waiting_s)

    def waiting(self, row: int) -> FloatArray:
        """(Q,) that row of `phases` over the lanes that wait."""
        sums: FloatArray = self.phases[row, : self.groups.num_phases]
        return sums

    @property
    def phase_waiting_s(self) -> FloatArray:
        """(Q,) mean waiting time of the vehicles that wait for each phase now [s]."""
        waiting_s: FloatArray = self.waiting(2) / np.maximum(self.waiting(0), 1.0)
        return waiting_s

    @property
    def downstream_veh(self) -> FloatArray:
        """(Q,) vehicles now on the lanes that each phase leads to."""
        sums: FloatArray = self.phases[0, self.groups.num_phases :]
        return sums
