"""Turns readings of lanes and counts into one frozen state a decision.

The integrals over a decision: arrivals and backlog are taken every simulation step (two numbers,
whatever the size of the network); lanes every `sample_s` and at the decision itself, each reading
standing for the steps since the one before.

Shapes: L lanes, E edges, K readings of the lanes since the decision before.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np

from trafficrl.network.detectors import CELLS, Detector
from trafficrl.network.model import Network
from trafficrl.simulation.lane_readings import lane_readings
from trafficrl.simulation.lane_sums import LaneSums
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import FloatArray, IntArray, Lanes, TrafficState

__all__ = ["StateReader"]


class StateReader:
    """Reads one session; a new episode has a new reader.

    Args:
        session: that it reads.
        network: of the session.
        sample_s: time between two readings of the lanes [s].
        detectors: length of a cell [m] -> detectors that SUMO was given.
    """

    def __init__(
        self,
        session: SumoSession,
        network: Network,
        *,
        sample_s: float,
        detectors: Mapping[float, Sequence[Detector]] = MappingProxyType({}),
    ) -> None:
        self._session = session
        self._cells = {cell_m: _Cells(found, network) for cell_m, found in detectors.items()}
        self._network = network
        self._read_lanes = lane_readings(session, network)
        self._limit_mps = np.array([lane.speed_mps for lane in network.lanes])
        self._limits_mps = np.stack([self._limit_mps] * 2)  # (2, L)
        self._sample_steps = max(1, round(sample_s / session.step_s))
        self._arrived_veh = 0
        self._clear()

    def tick(self) -> None:
        """The step that just passed is counted; at the sampling times the lanes are read."""
        self._steps += 1
        arrived_veh, backlog_veh = self._session.read_flow()
        self._arrived_now += arrived_veh
        self._backlog_sum += backlog_veh
        if self._steps % self._sample_steps == 0:
            self._take_sample()

    def read(self, phase: IntArray, phase_age_s: FloatArray) -> TrafficState:
        """The state at this decision; the next interval begins now."""
        if self._steps == 0 or self._steps % self._sample_steps:
            self._take_sample()
        self._arrived_veh += self._arrived_now
        steps = max(1, self._steps)  # the first state of an episode stands for itself
        now, mean = self._lanes(steps)
        state = TrafficState(
            time_s=self._session.time_s,
            elapsed_s=self._session.elapsed_s,
            interval_s=self._steps * self._session.step_s,
            now=now,
            mean=mean,
            edge_speeds_mps=partial(self._edge_speeds_mps, self._samples, self._weights),
            totals=self._session.read_totals(self._arrived_veh),
            arrived_veh=self._arrived_now,
            mean_backlog_veh=self._backlog_sum / steps,
            phase=phase.copy(),
            phase_age_s=phase_age_s.copy(),
            cells_veh={
                cell_m: cells.table(self._session.read_detectors(cells.ids))
                for cell_m, cells in self._cells.items()
            },
        )
        self._clear()
        return state

    def _clear(self) -> None:
        self._steps = 0
        self._arrived_now = 0
        self._backlog_sum = 0
        self._sampled_step = 0
        # (4, L): vehicles, queue, vehicles * speed (so that means weigh vehicles), waiting time
        self._sum = np.zeros((4, len(self._limit_mps)))
        self._samples: list[FloatArray] = []
        self._weights: list[int] = []
        """For how many steps each sample stands."""

    def _take_sample(self) -> None:
        self._last = self._read_lanes()
        self._last[2] *= self._last[0]
        weight = max(1, self._steps - self._sampled_step)
        self._sum += self._last * weight
        self._samples.append(self._last)
        self._weights.append(weight)
        self._sampled_step = self._steps

    @cached_property
    def _sum_edges(self) -> LaneSums:
        """Built when it is asked for, as it takes most of what a reader takes, and few ask."""
        network = self._network
        lanes = [[network.lane_index[lane.id] for lane in edge.lanes] for edge in network.edges]
        return LaneSums(lanes, len(network.lanes))

    def _edge_speeds_mps(self, readings: list[FloatArray], weights: list[int]) -> FloatArray:
        """(2, E) means of readings: over the vehicles, and with one at the limit on each empty
        lane; without any vehicle both are the limit."""
        samples = np.array(readings)
        vehicles, moved = samples[:, 0], samples[:, 2]  # (K, L)
        counted = np.where(vehicles > 0, vehicles, 1.0)
        driven = np.where(vehicles > 0, moved, self._limit_mps)
        sums = self._sum_edges(*vehicles, *moved, *counted, *driven)
        there, moved_there, counted, driven = sums.reshape(4, len(samples), -1)  # (K, E)
        by_lanes = driven / counted
        by_vehicles = np.divide(moved_there, there, out=by_lanes.copy(), where=there > 0)
        speeds = np.array((by_vehicles, by_lanes)) * np.array(weights)[:, None]
        mean: FloatArray = np.add.reduce(speeds, axis=1) / sum(weights)
        return mean

    def _lanes(self, steps: int) -> tuple[Lanes, Lanes]:
        """At the last reading, and the mean over the steps."""
        rows = np.empty((4, 2, len(self._limit_mps)))
        rows[:, 0] = self._last
        np.divide(self._sum, steps, out=rows[:, 1])
        vehicles, queue, moved, waiting = rows
        speed = np.divide(moved, vehicles, out=self._limits_mps.copy(), where=vehicles > 0)
        # Vehicles may drive faster than the limit (speed factor): that is no negative delay.
        delayed = vehicles * np.maximum(1.0 - speed / self._limits_mps, 0.0)
        return (
            Lanes(vehicles[0], queue[0], speed[0], waiting[0], delayed[0]),
            Lanes(vehicles[1], queue[1], speed[1], waiting[1], delayed[1]),
        )


class _Cells:
    """Where the count of each detector stands in a table of cells and lanes."""

    def __init__(self, detectors: Sequence[Detector], network: Network) -> None:
        self.ids = [detector.id for detector in detectors]
        self._cell = np.array([detector.cell for detector in detectors], np.intp)
        self._lane = np.array([detector.lane for detector in detectors], np.intp)
        self._shape = CELLS, len(network.lanes)

    def table(self, counts: FloatArray) -> FloatArray:
        """(C, L) of the counts (D,)."""
        table = np.zeros(self._shape)
        table[self._cell, self._lane] = counts
        return table
