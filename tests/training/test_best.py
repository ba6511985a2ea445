import math

import pytest

from trafficrl.training.best import BestSoFar


def judged(best: BestSoFar, *scores: float) -> list[bool]:
    return [best.judge(score) for score in scores]


def test_the_first_score_is_the_best_and_a_higher_one_replaces_it() -> None:
    best = BestSoFar(patience=0, min_delta=0.0)
    assert best.score is None
    assert judged(best, -50.0, -60.0, -50.0, -49.0) == [True, False, False, True]
    assert best.score == -49.0


def test_patience_counts_validations_in_a_row_without_a_rise() -> None:
    best = BestSoFar(patience=2, min_delta=0.0)
    spent = []
    for score in (-50.0, -51.0, -49.0, -49.5, -49.0):
        best.judge(score)
        spent.append(best.exhausted)
    assert spent == [False, False, False, False, True]


def test_without_patience_it_never_ends() -> None:
    best = BestSoFar(patience=0, min_delta=0.0)
    judged(best, *[-1.0] * 100)
    assert not best.exhausted


def test_a_rise_below_min_delta_is_the_best_model_but_starts_no_patience_anew() -> None:
    best = BestSoFar(patience=3, min_delta=10.0)
    assert judged(best, 0.0, 4.0, 8.0) == [True, True, True]
    assert best.waited == 2
    assert best.judge(12.0)  # small rises together are an improvement
    assert (best.waited, best.score) == (0, 12.0)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e9])
def test_an_equal_score_is_no_improvement_at_any_size(size: float) -> None:
    best = BestSoFar(patience=2, min_delta=0.0)
    assert judged(best, -size, -size, -size) == [True, False, False]
    assert best.exhausted


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_never_the_best(broken: float) -> None:
    best = BestSoFar(patience=3, min_delta=0.0)
    assert judged(best, broken, -5.0, broken, -4.0) == [False, True, False, True]
    assert best.score == -4.0
    assert judged(best, broken, broken, broken) == [False] * 3
    assert best.exhausted
