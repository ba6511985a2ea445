"""Turns readings of lanes and counts into one frozen state a decision.

The integrals over a decision: arrivals, running and backlog are taken every simulation step (three
numbers, whatever the size of the network); lanes every `sample_s` and at the decision itself, each
reading standing for the steps since the one before.
"""

import numpy as np

from trafficrl.network.model import Network
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import FloatArray, IntArray, Lanes, TrafficState

__all__ = ["StateReader"]


class StateReader:
    """Reads one session; a new episode has a new reader."""

    def __init__(self, session: SumoSession, network: Network, *, sample_s: float) -> None:
        self._session = session
        self._lane_ids = [lane.id for lane in network.lanes]
        self._limit_mps = np.array([lane.speed_mps for lane in network.lanes])
        self._first_lane = np.cumsum([0, *(len(edge.lanes) for edge in network.edges)])[:-1]
        self._sample_steps = max(1, round(sample_s / session.step_s))
        self._arrived_veh = 0
        self._clear()

    def tick(self) -> None:
        """The step that just passed is counted; at the sampling times the lanes are read."""
        self._steps += 1
        self._arrived_now += self._session.read_arrived()
        self._running_sum += self._session.read_running()
        self._backlog_sum += self._session.read_backlog()
        if self._steps % self._sample_steps == 0:
            self._take_sample()

    def read(self, phase: IntArray, phase_age_s: FloatArray) -> TrafficState:
        """The state at this decision; the next interval begins now."""
        if self._steps == 0 or self._steps % self._sample_steps:
            self._take_sample()
        self._arrived_veh += self._arrived_now
        steps = max(1, self._steps)  # the first state of an episode stands for itself
        state = TrafficState(
            time_s=self._session.time_s,
            elapsed_s=self._session.elapsed_s,
            interval_s=self._steps * self._session.step_s,
            now=self._lanes(self._last),
            mean=self._lanes(self._sum / steps),
            edge_speed_mps=self._edge_speed_sum[0] / steps,
            edge_speed_by_lanes_mps=self._edge_speed_sum[1] / steps,
            totals=self._session.read_totals(self._arrived_veh),
            arrived_veh=self._arrived_now,
            mean_running_veh=self._running_sum / steps,
            mean_backlog_veh=self._backlog_sum / steps,
            phase=phase.copy(),
            phase_age_s=phase_age_s.copy(),
        )
        self._clear()
        return state

    def _clear(self) -> None:
        self._steps = 0
        self._arrived_now = 0
        self._running_sum = 0
        self._backlog_sum = 0
        self._sampled_step = 0
        # (4, L): vehicles, queue, vehicles * speed (so that means weigh vehicles), waiting time
        self._sum = np.zeros((4, len(self._lane_ids)))
        self._edge_speed_sum = np.zeros((2, len(self._first_lane)))
        self._last = self._sum

    def _take_sample(self) -> None:
        self._last = self._session.read_lanes(self._lane_ids)
        self._last[2] *= self._last[0]
        weight = max(1, self._steps - self._sampled_step)
        self._sum += self._last * weight
        self._edge_speed_sum += self._edge_speeds_mps() * weight
        self._sampled_step = self._steps

    def _edge_speeds_mps(self) -> FloatArray:
        """(2, E) at the last reading: over the vehicles, and with one at the limit on each empty
        lane; without any vehicle both are the limit."""
        vehicles, _, moved, _ = self._last
        counted = np.add.reduceat(np.maximum(vehicles, 1.0), self._first_lane)
        driven = np.where(vehicles > 0, moved, self._limit_mps)
        by_lanes = np.add.reduceat(driven, self._first_lane) / counted
        there = np.add.reduceat(vehicles, self._first_lane)
        moved_there = np.add.reduceat(moved, self._first_lane)
        by_vehicles = np.divide(moved_there, there, out=by_lanes.copy(), where=there > 0)
        return np.stack([by_vehicles, by_lanes])

    def _lanes(self, rows: FloatArray) -> Lanes:
        vehicles, queue, moved, waiting = rows
        speed = np.divide(moved, vehicles, out=self._limit_mps.copy(), where=vehicles > 0)
        # Vehicles may drive faster than the limit (speed factor): that is no negative delay.
        delayed = vehicles * np.clip(1.0 - speed / self._limit_mps, 0.0, 1.0)
        return Lanes(vehicles, queue, speed, waiting, delayed)
