"""Where each phase of each signal stands in a table, and which of them may be chosen.

Shapes: S signals, P places for phases, Q phases of all signals together.
"""

import numpy as np
from numpy.typing import NDArray

from trafficrl.network.model import Network
from trafficrl.simulation.state import IntArray, TrafficState

__all__ = ["PhasePlaces"]

BoolArray = NDArray[np.bool_]


class PhasePlaces:
    """Where each phase stands in a table of all signals, and which of them may be chosen."""

    def __init__(self, network: Network, max_phases: int, step_s: float) -> None:
        sizes = np.array([len(signal.phases) for signal in network.signals])
        self.count = int(sizes.sum())
        self.exists: BoolArray = np.arange(max_phases) < sizes[:, None]  # (S, P)
        self._first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self._step_s = step_s
        greens = [round(signal.min_green_s / step_s) for signal in network.signals]
        self._min_green_steps = np.array(greens)

    def may_be_chosen(self, state: TrafficState) -> BoolArray:
        """(S, P) the phases that the driver would go to: all, or what is shown and nothing else.

        A phase keeps its minimum green, also while the clearance before it is still running; only
        before anything was green there is nothing to keep.
        """
        green_steps = np.rint(state.phase_age_s / self._step_s)
        free = (green_steps >= self._min_green_steps) | (state.elapsed_s <= 0)
        mask: BoolArray = self.exists & free[:, None]
        mask[np.arange(len(mask)), state.phase] = True
        return mask

    def current(self, state: TrafficState) -> IntArray:
        """(S,) which of all phases (Q,) each signal shows."""
        shown: IntArray = self._first + state.phase
        return shown
