"""Sums over groups of lanes against the matrix of ones and zeros that they stand for."""

import numpy as np
import pytest

from trafficrl.simulation.lane_sums import LaneSums

GROUPS = [[3], [], [0, 2, 5], [5, 1], [4, 0, 1, 2]]
NUM_LANES = 7
ROWS = np.random.default_rng(4).integers(0, 30, (9, NUM_LANES)).astype(float)


@pytest.mark.parametrize("num_rows", [1, 2, 9])
def test_each_row_is_summed_by_groups(num_rows: int) -> None:
    ones = np.zeros((len(GROUPS), NUM_LANES))
    for row, lanes in zip(ones, GROUPS, strict=True):
        row[lanes] = 1.0
    rows = ROWS[:num_rows]
    sums = LaneSums(GROUPS, NUM_LANES)
    for _ in range(2):  # the second time it knows where they stand
        assert np.array_equal(sums(*rows), rows @ ones.T)


def test_lanes_are_added_in_the_order_of_the_group() -> None:
    row = np.array([1e16, 1.0, -1e16])
    assert LaneSums([[0, 1, 2], [0, 2, 1]], 3)(row).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("groups", [[], [[], []]])
def test_nothing_is_summed(groups: list[list[int]]) -> None:
    assert np.array_equal(LaneSums(groups, NUM_LANES)(*ROWS), np.zeros((len(ROWS), len(groups))))
