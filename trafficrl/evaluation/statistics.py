"""Paired differences and their intervals: the same scenario and seed under two controllers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np

from trafficrl.evaluation.evaluator import EpisodeResult
from trafficrl.runs.seeding import stream
from trafficrl.simulation.state import FloatArray

__all__ = ["PairedDifference", "paired_difference"]

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of (candidate - baseline) over the pairs, and its interval."""

    mean: float
    low: float | None
    """None, as is `high`, where a scenario has one pair: its spread cannot be known."""
    high: float | None
    pairs: int


def paired_difference(
    candidate: Sequence[EpisodeResult],
    baseline: Sequence[EpisodeResult],
    metric: str,
    *,
    confidence: float,
) -> PairedDifference:
    """The difference of two controllers on the same episodes.

    The interval is the percentile bootstrap over pairs (Efron and Tibshirani 1993, ch. 13),
    resampled within each scenario so that every scenario keeps its weight, and widened for few
    pairs (see `widening`).

    Raises:
        ValueError: the two did not run the same episodes.
    """
    keys = [(result.scenario, result.seed) for result in candidate]
    if keys != [(result.scenario, result.seed) for result in baseline]:
        raise ValueError("paired differences need the same scenarios and seeds for both")
    differences = np.array(
        [
            getattr(a.metrics, metric) - getattr(b.metrics, metric)
            for a, b in zip(candidate, baseline, strict=True)
        ],
        dtype=np.float64,
    )
    scenarios = np.array([scenario for scenario, _ in keys])
    groups = [differences[scenarios == name] for name in dict.fromkeys(scenarios.tolist())]
    mean, pairs = float(differences.mean()), len(differences)
    if min(map(len, groups)) < 2:
        return PairedDifference(mean, None, None, pairs)
    rng = stream(0, "bootstrap", metric)
    deviations = sum(resampled_deviations(group, rng) for group in groups) / pairs
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(deviations, [tail, 1.0 - tail]) * widening(
        pairs - len(groups), confidence
    )
    return PairedDifference(mean, mean + float(low), mean + float(high), pairs)


def resampled_deviations(group: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(RESAMPLES,) sums of as many draws from the group, less the group's own sum.

    Draws from n values vary by (n - 1) / n of what new values would: that is made up for.
    """
    draws = rng.integers(len(group), size=(RESAMPLES, len(group)))
    factor = np.sqrt(len(group) / (len(group) - 1))
    deviations: FloatArray = (group[draws].sum(axis=1) - group.sum()) * factor
    return deviations


@cache
def widening(freedom: int, confidence: float) -> float:
    """How much wider Student's interval is than the normal one, which the bootstrap comes to.

    Without it and the factor above, 95 % intervals would cover the truth in 52 % of cases with two
    pairs, in 85 % with five and in 92 % with twenty (Hesterberg 2015, The American Statistician
    69(4), "What teachers should know about the bootstrap", on the narrowness of percentiles).
    """
    level = (1.0 + confidence) / 2.0
    # numpy has no quantiles of Student's t: a million draws give them closely enough.
    draws = stream(0, "student").standard_t(freedom, 1_000_000)
    return float(np.quantile(draws, level)) / NormalDist().inv_cdf(level)
