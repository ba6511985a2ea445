from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from result_cases import result, results

from trafficrl.evaluation.outcome import EpisodeResult
from trafficrl.evaluation.statistics import (
    PairedDifference,
    completion_differs,
    find_diverged,
    interquartile_mean,
    mean_interval,
    paired_difference,
    pooled_freedom,
    student_quantile,
)


def difference(
    policy: list[EpisodeResult], fixed: list[EpisodeResult], confidence: float = 0.95
) -> PairedDifference:
    return paired_difference(policy, fixed, "delay_s", confidence=confidence)


def bounds(found: PairedDifference) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def test_a_constant_difference_is_known_for_certain() -> None:
    fixed = results("fixed", 50.0, 90.0, 20.0)
    policy = results("policy", 43.0, 83.0, 13.0)
    assert difference(policy, fixed) == PairedDifference(-7.0, -7.0, -7.0, 3)


def test_pairing_takes_out_what_seeds_have_in_common() -> None:
    rng = np.random.default_rng(1)
    common, noise = rng.normal(100, 50, 20), rng.normal(0, 1, 20)
    found = difference(results("policy", *(common - 5 + noise)), results("fixed", *common))
    low, high = bounds(found)
    assert found.mean == pytest.approx(-5 + noise.mean())
    assert low < found.mean < high
    assert high - low < 2  # unpaired, the seeds' own spread of 50 would hide it


def test_the_interval_has_the_width_of_students_for_normal_data() -> None:
    differences = np.random.default_rng(2).normal(3.0, 10.0, 20)
    low, high = bounds(difference(results("policy", *differences), results("fixed", *[0.0] * 20)))
    t_19 = 2.093  # 97.5 % quantile
    half = t_19 * differences.std(ddof=1) / np.sqrt(20)
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)
    assert (high + low) / 2 == pytest.approx(differences.mean(), abs=0.1 * half)


def test_more_confidence_asks_for_a_wider_interval() -> None:
    policy, fixed = results("policy", *range(10)), results("fixed", *[4.0] * 10)
    widths = [
        high - low for low, high in (bounds(difference(policy, fixed, c)) for c in (0.5, 0.9, 0.99))
    ]
    assert widths == sorted(widths)
    assert len(set(widths)) == 3


def test_the_difference_between_scenarios_is_not_chance() -> None:
    """Each scenario keeps its weight: two that differ widely, each without spread, are certain."""
    fixed = results("fixed", *[0.0] * 4) + results("fixed", *[0.0] * 2, scenario="evening")
    policy = results("policy", *[-9.0] * 4) + results("policy", *[30.0] * 2, scenario="evening")
    found = difference(policy, fixed)
    assert found.mean == pytest.approx((4 * -9 + 2 * 30) / 6)
    assert bounds(found) == pytest.approx((found.mean, found.mean))


def test_one_pair_says_nothing_of_chance() -> None:
    found = difference(results("policy", 10.0), results("fixed", 50.0))
    assert found == PairedDifference(-40.0, None, None, 1)
    two = difference(
        results("policy", 1.0, 2.0) + results("policy", 3.0, scenario="evening"),
        results("fixed", 2.0, 4.0) + results("fixed", 6.0, scenario="evening"),
    )
    assert (two.low, two.high, two.pairs) == (None, None, 3)


def test_equal_results_have_equal_intervals_in_every_call() -> None:
    policy, fixed = results("policy", 3.0, 5.0, 9.0), results("fixed", 4.0, 4.0, 4.0)
    assert difference(policy, fixed) == difference(policy, fixed)


@pytest.mark.parametrize(
    "fixed",
    [
        results("fixed", 1.0),
        results("fixed", 1.0, 2.0, 3.0),
        results("fixed", 1.0, 2.0, scenario="evening"),
        [result("fixed", 1.0, seed=0), result("fixed", 2.0, seed=7)],
    ],
    ids=["fewer", "more", "another scenario", "another seed"],
)
def test_other_episodes_are_no_pairs(fixed: list[EpisodeResult]) -> None:
    with pytest.raises(ValueError, match="same scenarios and seeds"):
        difference(results("policy", 1.0, 2.0), fixed)


@pytest.mark.parametrize(
    ("seeds", "spreads"),
    [
        (20, [5.0]),
        (3, [5.0]),
        (10, [5.0, 5.0]),
        (2, [5.0] * 4),
        (2, [1.0, 1.0, 1.0, 10.0]),
        (3, [1.0, 1.0, 1.0, 10.0]),
        (5, [1.0, 10.0]),
    ],
    ids=str,
)
def test_the_interval_covers_the_truth_as_often_as_it_says(
    seeds: int, spreads: list[float]
) -> None:
    """Also where one scenario varies far more than the others: they say nothing of its spread."""
    rng = np.random.default_rng(7)
    trials = 400
    covered = 0
    names = [str(number) for number in range(len(spreads))]
    fixed = [r for name in names for r in results("fixed", *[0.0] * seeds, scenario=name)]
    for _ in range(trials):
        policy = [
            r
            for name, spread in zip(names, spreads, strict=True)
            for r in results("policy", *rng.normal(2.0, spread, seeds), scenario=name)
        ]
        low, high = bounds(difference(policy, fixed))
        covered += low <= 2.0 <= high
    assert 0.91 <= covered / trials <= 0.98


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (1.5, 6.0167), (2, 4.30265), (19, 2.09302), (1000, 1.96234)],
)
def test_quantiles_of_students_t_are_those_of_the_tables(freedom: float, quantile: float) -> None:
    assert student_quantile(freedom, 0.95) == pytest.approx(quantile, rel=1e-4)


def test_scenarios_without_spread_leave_the_freedom_to_the_others() -> None:
    wide, narrow = np.array([1.0, 3.0, 8.0]), np.array([5.0] * 9)
    assert pooled_freedom([wide, narrow]) == pytest.approx(2.0)
    assert pooled_freedom([wide] * 3) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([7.0], 7.0),
        ([1.0, 3.0], 2.0),
        ([1.0, 2.0, 90.0], 2.0 * 2 / 3 + (1.0 * 0.25 + 90.0 * 0.25) / 1.5),
        ([1000.0, 2.0, 1.0, 3.0], 2.5),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1e9], 3.5),
    ],
)
def test_the_interquartile_mean_is_that_of_the_middle_half(
    values: list[float], middle: float
) -> None:
    assert interquartile_mean(values) == pytest.approx(middle)


def diverged(**policy: Any) -> set[tuple[str, str, int]]:
    """Of a good plan and a policy on two seeds, the second of them easier."""
    found = [
        result("plan", 5.0, seed=seed, arrived=arrived, scheduled=100)
        for seed, arrived in enumerate((60, 90))
    ]
    found = [
        replace(one, metrics=replace(one.metrics, waiting_time_s=76.0, travel_time_s=100.0))
        for one in found
    ]
    found += [result("policy", 5.0, seed=seed, scheduled=100, **policy) for seed in range(2)]
    return find_diverged(found)


STANDING: dict[str, Any] = {"waiting_time_s": 76.0, "travel_time_s": 100.0}


def test_gridlock_is_far_fewer_arrivals_than_the_best_on_the_same_episode() -> None:
    assert diverged(arrived=60, **STANDING) == set()
    assert diverged(arrived=59, **STANDING) == {("policy", "morning", 1)}
    both = {("policy", "morning", 0), ("policy", "morning", 1)}
    assert diverged(arrived=39, **STANDING) == both
    assert diverged(arrived=100, **STANDING) == {("plan", "morning", 0)}


def test_who_has_not_arrived_but_drives_is_in_no_gridlock() -> None:
    assert diverged(arrived=39, **(STANDING | {"waiting_time_s": 74.0})) == set()


def test_a_standstill_is_a_gridlock_without_anybody_better() -> None:
    def alone(waiting_s: float, depart_delay_s: float = 0.0) -> set[tuple[str, str, int]]:
        spent: dict[str, Any] = {"waiting_time_s": waiting_s, "depart_delay_s": depart_delay_s}
        return find_diverged(
            results("policy", 5.0, 6.0, arrived=30, scheduled=100, travel_time_s=100.0, **spent)
        )

    assert alone(90.0) == set()
    assert alone(91.0) == {("policy", "morning", 0), ("policy", "morning", 1)}
    assert alone(95.0, depart_delay_s=60.0) == set(), "35 of 40 s in the network"


def test_gridlock_is_also_what_sumo_cleared_by_teleporting() -> None:
    assert diverged(arrived=90, teleports=5) == set()
    assert diverged(arrived=90, teleports=6) == {("policy", "morning", 0), ("policy", "morning", 1)}


def test_completion_differs_by_more_than_a_hundredth() -> None:
    plan = results("plan", 5.0, 6.0, arrived=900, scheduled=1000)
    for arrived, differs in ((900, False), (909, False), (911, True), (889, True)):
        policy = results("policy", 5.0, 6.0, arrived=arrived, scheduled=1000)
        assert completion_differs(plan + policy) is differs
    nobody = results("plan", 0.0) + results("policy", 0.0)
    assert not completion_differs(nobody)


def test_what_one_scenario_lacks_is_not_made_up_for_by_another() -> None:
    plan = results("plan", 5.0, arrived=100, scheduled=100)
    plan += results("plan", 5.0, arrived=90, scheduled=100, scenario="evening")
    policy = results("policy", 5.0, arrived=90, scheduled=100)
    policy += results("policy", 5.0, arrived=100, scheduled=100, scenario="evening")
    assert completion_differs(plan + policy)


def test_the_interval_of_a_mean_is_as_wide_as_the_spread_says() -> None:
    found = mean_interval(results("plan", 1.0, 2.0, 3.0, 4.0, 5.0), "delay_s", confidence=0.95)
    assert found is not None
    # Student's: 3 -+ 2.776 * sqrt(2.5 / 5)
    assert found == pytest.approx((1.04, 4.96), abs=0.15)
    assert mean_interval(results("plan", 1.0), "delay_s", confidence=0.95) is None
