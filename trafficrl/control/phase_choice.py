"""From a score for each phase to the phase that each signal should show.

Shapes: S signals, P the most phases that any signal has, Q phases of all signals together.
"""

import numpy as np

from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, IntArray

__all__ = ["PhaseChoice"]


class PhaseChoice:
    """Chooses the phase of the highest score for each signal."""

    def __init__(self, network: Network) -> None:
        counts = [len(signal.phases) for signal in network.signals]
        self._place = np.arange(max(counts)) < np.array(counts)[:, None]  # (S, P)

    def best(self, score: FloatArray, now: IntArray) -> IntArray:
        """(S,) the best phases: of equal ones that which is shown, otherwise the first.

        Args:
            score: (Q,) signal by signal.
            now: (S,) phases that are shown.
        """
        table = np.full(self._place.shape, -np.inf)
        table[self._place] = score
        stays = np.take_along_axis(table, now[:, None], axis=1)[:, 0] >= table.max(axis=1) - 1e-9
        chosen: IntArray = np.where(stays, now, table.argmax(axis=1))
        return chosen
