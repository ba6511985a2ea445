"""Whole numbers by share: nothing is lost, and no part is a whole one away from its share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trafficrl.demand.apportion import apportion


@given(
    total=st.integers(0, 1_000_000),
    weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda w: sum(w) > 1e-3),
)
def test_all_is_shared_to_less_than_one(total: int, weights: list[float]) -> None:
    counts = apportion(total, weights)
    exact = np.array(weights) * total / sum(weights)
    assert counts.sum() == total
    assert (counts >= 0).all()
    assert (np.abs(counts - exact) < 1 + 1e-6).all()
    assert (counts[np.array(weights) == 0] == 0).all()


@pytest.mark.parametrize(
    ("total", "weights", "counts"),
    [
        (100, [29, 71], [29, 71]),
        (10, [1, 1, 1], [4, 3, 3]),
        (7, [0, 50, 50, 0], [0, 4, 3, 0]),
        (1, [60, 25, 15], [1, 0, 0]),
        (242, [25, 25, 35, 15], [61, 60, 85, 36]),
        (0, [0, 0], [0, 0]),
    ],
)
def test_the_largest_remainders_are_rounded_up(
    total: int, weights: list[float], counts: list[int]
) -> None:
    assert apportion(total, weights).tolist() == counts
