"""Where each phase of each signal stands in a table, and which of them may be chosen.

Shapes: S signals, P places for phases, Q phases of all signals together.
"""

import numpy as np
from numpy.typing import NDArray

from trafficrl.config.algorithm import ActionConfig, PhaseOrder
from trafficrl.network.approaches import waiting_lanes
from trafficrl.network.model import Network
from trafficrl.simulation.lane_sums import LaneSums
from trafficrl.simulation.state import IntArray, TrafficState

__all__ = ["PhasePlaces"]

BoolArray = NDArray[np.bool_]


class PhasePlaces:
    """Where each phase stands in a table of all signals, and which of them may be chosen.

    Args:
        network: whose signals.
        max_phases: places a signal has in the table.
        action: in which order phases may follow each other.
        step_s: of the simulation [s].
    """

    def __init__(
        self, network: Network, max_phases: int, action: ActionConfig, *, step_s: float
    ) -> None:
        sizes = np.array([len(signal.phases) for signal in network.signals])
        self._sizes = sizes[:, None]
        self._waiting: LaneSums | None = None  # by phase; where no order is kept nobody asks
        if action.order is PhaseOrder.cycle:
            lanes = [row.nonzero()[0].tolist() for row in waiting_lanes(network)]
            self._waiting = LaneSums(lanes, len(network.lanes))
        self.count = int(sizes.sum())
        self.exists: BoolArray = np.arange(max_phases) < sizes[:, None]  # (S, P)
        self._first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self._step_s = step_s
        greens = [round(signal.min_green_s / step_s) for signal in network.signals]
        self._min_green_steps = np.array(greens)

    def may_be_chosen(self, state: TrafficState) -> BoolArray:
        """(S, P) what the driver would not refuse, in the order that the action allows."""
        mask = self.driver_takes(state)
        if self._waiting is not None:
            mask &= self._next(state, self._waiting(state.now.vehicles_veh)[0] > 0)
            mask[np.arange(len(mask)), state.phase] = True
        return mask

    def in_order(self, phase: IntArray, state: TrafficState) -> IntArray:
        """(S,) these phases; of a signal that may not choose the one it has, what it shows."""
        refused = self.exists & ~self.may_be_chosen(state)
        asked = np.arange(self.exists.shape[1]) == phase[:, None]
        kept: IntArray = np.where((refused & asked).any(axis=1), state.phase, phase)
        return kept

    def driver_takes(self, state: TrafficState) -> BoolArray:
        """(S, P) the phases that the driver would go to: all, or what is shown and nothing else.

        A phase keeps its minimum green, also while the clearance before it is still running; only
        before anything was green there is nothing to keep.
        """
        green_steps = np.rint(state.phase_age_s / self._step_s)
        free = (green_steps >= self._min_green_steps) | (state.elapsed_s <= 0)
        mask: BoolArray = self.exists & free[:, None]
        mask[np.arange(len(mask)), state.phase] = True
        return mask

    def _next(self, state: TrafficState, waited_for: BoolArray) -> BoolArray:
        """(S, P) of each signal the first phase, in the order of its plan, that there is a vehicle
        before (Q,): at last what it shows, and where the signal has none at all, the very next."""
        most = self.exists.shape[1]
        wanted = np.zeros(self.exists.shape, dtype=bool)
        wanted[self.exists] = waited_for
        places = np.arange(most)
        rank = (places - state.phase[:, None] - 1) % self._sizes  # 0 for the very next
        rank = np.where(self.exists, rank + np.where(wanted, 0, most), 2 * most)
        following: BoolArray = places == rank.argmin(axis=1)[:, None]
        return following

    def current(self, state: TrafficState) -> IntArray:
        """(S,) which of all phases (Q,) each signal shows."""
        shown: IntArray = self._first + state.phase
        return shown
