"""Streams that never change silently, and demand seeds that never meet."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trafficrl.runs.seeding import Split, demand_seed, stream

KNOWN: list[tuple[int, list[str | int], list[int]]] = [
    (1, ["training", 0, 0], [33782, 88082, 615978, 44151]),
    (1, ["demand", "private", "pair"], [133827, 307828, 679238, 529522]),
    (4294967295, ["x"], [318905, 662917, 482570, 686022]),
]
"""First numbers below a million: whoever changes them changes the result of every seed."""


@pytest.mark.parametrize(("seed", "names", "numbers"), KNOWN)
def test_known_streams(seed: int, names: list[str | int], numbers: list[int]) -> None:
    assert stream(seed, *names).integers(10**6, size=4).tolist() == numbers


def test_another_process_draws_the_same() -> None:
    code = (
        "from trafficrl.runs.seeding import stream;"
        "print(stream(5, 'a', 1).integers(10**6, size=4).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(stream(5, "a", 1).integers(10**6, size=4).tolist())


NAMES = st.lists(st.one_of(st.text("ab", max_size=3), st.integers(0, 99)), max_size=3)


@given(st.integers(0, 9), NAMES, st.integers(0, 9), NAMES)
def test_other_names_and_seeds_are_other_streams(
    seed: int, names: list[str | int], other_seed: int, other_names: list[str | int]
) -> None:
    one, other = (seed, "/".join(map(str, names))), (other_seed, "/".join(map(str, other_names)))
    drawn = [
        stream(seed, *names).integers(2**62, size=2).tolist(),
        stream(other_seed, *other_names).integers(2**62, size=2).tolist(),
    ]
    assert (drawn[0] == drawn[1]) == (one == other)


def test_drawing_leaves_the_global_numbers_alone() -> None:
    np.random.seed(3)  # noqa: NPY002 - the global generator is what is looked at
    expected = np.random.random(3).tolist()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    stream(1, "a").random(100)
    assert np.random.random(3).tolist() == expected  # noqa: NPY002


def test_demand_seeds_of_two_splits_never_meet() -> None:
    ranges = {
        split: (demand_seed(split, 0), demand_seed(split, split.value[1] - 1)) for split in Split
    }
    ordered = sorted(ranges.values())
    assert all(low <= high for low, high in ordered)
    assert all(a[1] < b[0] for a, b in pairwise(ordered))
    assert demand_seed(Split.test, 3) - demand_seed(Split.test, 0) == 3


@pytest.mark.parametrize("split", list(Split))
def test_an_index_outside_is_refused(split: Split) -> None:
    for index in (-1, split.value[1]):
        with pytest.raises(ValueError, match=f"{split.name} demand has seeds 0.."):
            demand_seed(split, index)
