"""From phase costs to durations: published numbers, then what must hold for any."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trafficrl.control.tree_method.durations import (
    baby_steps,
    fill_cycle,
    fit_to_cycle,
    naive,
    uniform,
)

QUARTERS = (22.5, 22.5, 22.5, 22.5)
PUBLISHED = [
    (QUARTERS, (0, 0, 0, 0), [23, 23, 22, 22]),
    (QUARTERS, (20, 15, 15, 10), [25, 23, 22, 20]),
    ((30, 30, 30), (400, 100, 0), [47, 26, 17]),
    ((40, 30, 10, 10), (0, 0, 200, 20), [32, 22, 22, 14]),
    ((23, 23, 22, 22), (5, 1, 1, 1), [26, 22, 21, 21]),
]


def steps(durations: Sequence[float], costs: Sequence[float]) -> list[float]:
    return baby_steps(durations, costs, cycle_s=90.0, min_phase_s=10.0)


def clamped(durations: Sequence[float]) -> list[float]:
    return fit_to_cycle(durations, cycle_s=90.0, min_phase_s=10.0)


def shown(durations: Sequence[float], least_s: float = 5.0, step_s: float = 1.0) -> list[float]:
    return fill_cycle(durations, cycle_s=90.0, least_s=least_s, step_s=step_s)


@pytest.mark.parametrize(("durations", "costs", "expected"), PUBLISHED)
def test_baby_steps(
    durations: Sequence[float], costs: Sequence[float], expected: list[float]
) -> None:
    assert steps(durations, costs) == expected
    assert clamped(expected) == expected
    assert shown(expected) == expected


def test_negative_costs_are_caught_by_the_minimum() -> None:
    durations = steps((23, 23, 22, 22), (-40, 30, 0, 0))
    assert durations == [-218, 106, 101, 101]
    assert clamped(durations) == [10, 30, 25, 25]


def test_half_seconds_overshoot_in_the_original() -> None:
    assert steps(QUARTERS, (50, 10, 0, 0)) == [31.5, 23, 18, 18]
    assert shown([31.5, 23, 18, 18]) == [32, 23, 18, 17]


def test_half_seconds_are_taken_where_the_predecessor_never_ends() -> None:
    assert clamped(steps(QUARTERS, (50, 10, 0, 0))) == [31, 23, 18, 18]


@pytest.mark.parametrize(
    ("total", "step_s"),
    [(9.9, 2), (10, 4), (30, 6), (100, 10), (300, 15), (1000, 20), (1e8, 20)],
)
def test_the_step_grows_with_the_cost(total: float, step_s: int) -> None:
    assert steps((45, 45), (total, 0)) == [45 + step_s, 45 - step_s]


def test_no_phase_gives_more_than_down_to_its_minimum() -> None:
    assert steps((78, 12), (2000, 0)) == [80, 10]
    assert steps((12, 78), (0, 2000)) == [10, 80]


def test_naive() -> None:
    share = {"cycle_s": 90.0, "min_phase_s": 10.0}
    assert naive((30, 30, 30), (300, 100, 0), **share) == [55, 25, 10]
    assert naive((40, 30, 20), (0, 0, 0), **share) == [40, 30, 20]


def test_seconds_that_rounding_lost_are_given_back() -> None:
    assert naive((30, 30, 30), (0, 1, 1), cycle_s=90.0, min_phase_s=5.0) == [5, 42, 42]
    assert clamped([10, 40, 38.5]) == [11, 40.5, 38.5]


def test_uniform_is_rounded_up_and_its_last_phase_cut() -> None:
    assert uniform(3, cycle_s=90.0) == [30, 30, 30]
    assert uniform(4, cycle_s=90.0) == [23, 23, 23, 23]
    assert shown(uniform(4, cycle_s=90.0)) == [23, 23, 23, 21]


def test_half_seconds_are_shown_as_sumo_would() -> None:
    """Phases of 22.5 s begin at 0, 22.5, 45 and 67.5 s, and change at whole steps after that."""
    assert shown(QUARTERS) == [23, 22, 23, 22]
    assert shown(QUARTERS, step_s=0.5) == list(QUARTERS)


def test_what_is_too_short_to_be_shown_takes_from_the_longest() -> None:
    assert shown([60, 20, 3, 7]) == [58, 20, 5, 7]
    assert shown([60, 20, 3, 7], least_s=8.0, step_s=3.0) == [51, 21, 9, 9]


def test_a_cycle_that_is_not_filled_prolongs_its_last_phase() -> None:
    assert shown([30, 30, 29]) == [30, 30, 30]


COSTS = st.lists(st.floats(-500, 3000), min_size=1, max_size=8)
CYCLES = st.sampled_from([30.0, 60.0, 90.0, 93.0, 120.0, 300.0])


@given(
    costs=st.lists(COSTS, min_size=1, max_size=6),
    count=st.integers(1, 8),
    cycle_s=CYCLES,
    min_phase_s=st.sampled_from([3.0, 6.0, 10.0, 11.25]),
    halves=st.booleans(),
)
def test_cycle_after_cycle_is_filled_and_no_phase_too_short(
    *, costs: list[list[float]], count: int, cycle_s: float, min_phase_s: float, halves: bool
) -> None:
    assume(count * min_phase_s <= cycle_s)
    durations = [cycle_s / count] * count
    if not halves:
        durations = fill_cycle(durations, cycle_s=cycle_s, least_s=min_phase_s // 1, step_s=1.0)
    for row in costs:
        phases = (row * count)[:count]
        new = baby_steps(durations, phases, cycle_s=cycle_s, min_phase_s=min_phase_s)
        durations = fit_to_cycle(new, cycle_s=cycle_s, min_phase_s=min_phase_s)
        assert sum(durations) == pytest.approx(cycle_s)
        assert min(durations) >= min_phase_s - 1e-9


@given(
    durations=st.lists(st.floats(-20, 120), min_size=1, max_size=8),
    least_s=st.floats(0.1, 11),
    step_s=st.sampled_from([0.1, 0.5, 1.0, 3.0]),
)
def test_whatever_is_decided_a_whole_cycle_is_shown(
    durations: list[float], least_s: float, step_s: float
) -> None:
    least = -(-least_s // step_s) * step_s
    assume(len(durations) * least <= 90)
    result = shown(durations, least_s, step_s)
    assert sum(result) == pytest.approx(90)
    assert min(result) >= least_s - 1e-9
    assert all(duration / step_s == pytest.approx(round(duration / step_s)) for duration in result)
