"""Sums of lane values over groups of lanes: of an edge, or of those that wait for a phase.

Shapes: L lanes, G groups, R rows of values. A matrix of ones and zeros would say the same, but
nearly all of it is zeros, and more so the larger a city is.
"""

from collections.abc import Sequence

import numpy as np

from trafficrl.simulation.state import FloatArray, IntArray

__all__ = ["LaneSums"]

NOTHING = np.zeros(1)


class LaneSums:
    """The groups of one network; a lane may be in several of them, or in none."""

    def __init__(self, groups: Sequence[Sequence[int]], num_lanes: int) -> None:
        """Groups are given by the indices of their lanes."""
        self._num_lanes = num_lanes
        most = max(map(len, groups), default=0)
        # (most, G): short groups are filled up with a place behind the lanes, where a 0 lies.
        self._lanes = np.full((most, len(groups)), -1, dtype=np.int64)
        for column, lanes in enumerate(groups):
            self._lanes[: len(lanes), column] = lanes
        self._places: dict[int, IntArray] = {}

    def __call__(self, *rows: FloatArray) -> FloatArray:
        """(R, G) sums of each row (L,), which are added in the order of a group's lanes."""
        places = self._places.get(len(rows))
        if places is None:
            places = self._places[len(rows)] = self._places_of(len(rows))
        sums: FloatArray = np.add.reduce(np.concatenate((*rows, NOTHING)).take(places), axis=0)
        return sums

    def _places_of(self, num_rows: int) -> IntArray:
        """(most, R, G) where the values stand when all rows lie behind each other."""
        starts = np.arange(num_rows)[:, None] * self._num_lanes
        there = self._lanes[:, None, :]
        places: IntArray = np.where(there < 0, num_rows * self._num_lanes, there + starts)
        return places
