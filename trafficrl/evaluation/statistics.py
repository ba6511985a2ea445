"""Paired differences and their intervals: the same scenario and seed under two controllers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trafficrl.evaluation.evaluator import EpisodeResult
from trafficrl.runs.seeding import stream

__all__ = ["PairedDifference", "paired_difference"]

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of (candidate - baseline) over the pairs, and its bootstrap interval."""

    mean: float
    low: float
    high: float
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
    resampled within each scenario so that every scenario keeps its weight.

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
        ]
    )
    rng = stream(0, "bootstrap", metric)
    scenarios = np.array([scenario for scenario, _ in keys])
    totals = np.zeros(RESAMPLES)
    for scenario in dict.fromkeys(scenarios.tolist()):
        group = differences[scenarios == scenario]
        draws = rng.integers(len(group), size=(RESAMPLES, len(group)))
        totals += group[draws].sum(axis=1)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(totals / len(differences), [tail, 1.0 - tail])
    return PairedDifference(float(differences.mean()), float(low), float(high), len(differences))
