"""Paired differences and their intervals: the same scenario and seed under two controllers.

Beside them: means that bear outliers, and which episodes were no traffic control any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import EpisodeResult
from trafficrl.runs.seeding import stream
from trafficrl.simulation.state import FloatArray

__all__ = [
    "GRIDLOCK",
    "PairedDifference",
    "bootstrap_interval",
    "completion_differs",
    "find_diverged",
    "interquartile_mean",
    "mean_interval",
    "paired_difference",
]

RESAMPLES = 10_000
LEAST_COMPLETION = 2 / 3
"""An episode with fewer arrivals than that part of the best controller's is a gridlock, if they
stood as well: where an episode is short, a slow controller has few arrivals without any jam."""
MOST_STANDING = 3 / 4
"""Of their time since they were due, mean over all vehicles, standing or not let in. On a city of
34 signals under heavy demand it was 0.45 to 0.66 for controllers that kept the traffic going over
two hours, 0.78 to 0.84 for those that did not, and up to 0.69 in its first quarter of an hour."""
MOST_STOPPED = 9 / 10
"""Of the time that vehicles spent in the network, standing: beyond that it is a gridlock whatever
others did. It is the share of stopped vehicles in the two-fluid theory of town traffic (Herman and
Prigogine 1979, Science 204, 148-151): the mean speed of a town falls with the moving share to a
power of about 2.5, to 0.3 % where a tenth moves. It was 0.93 to 0.98 where signals held everything
red, and in 870 episodes of all controllers on four networks at most 0.86, up to 0.69 where most
vehicles arrived. In between only others on the same episode can tell."""
MOST_TELEPORTS = 0.05
"""So is one in which SUMO took a larger part of the vehicles out of their jams."""
GRIDLOCK = (
    f"over {MOST_STOPPED:.0%} of the time in the network spent standing; or, beside others, "
    f"arrivals below {LEAST_COMPLETION:.0%} of the best one's and over {MOST_STANDING:.0%} of the "
    f"time since due spent standing; or over {MOST_TELEPORTS:.0%} of the vehicles teleported"
)
"""The rule in words."""
SAME_COMPLETION = 0.01
"""Shares of arrived vehicles that differ by no more are taken for equal."""

Episode = tuple[str, str, int]
"""Controller, scenario, seed."""


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
    low, high = bootstrap_interval(groups, metric, confidence) or (None, None)
    return PairedDifference(float(differences.mean()), low, high, len(differences))


def mean_interval(
    results: Sequence[EpisodeResult], metric: str, *, confidence: float
) -> tuple[float, float] | None:
    """Interval of a controller's mean over one scenario's episodes; None of a single one.

    It is about other demand of the same kind. Two controllers on the same demand are told apart by
    their paired difference, however much these intervals overlap.
    """
    values = np.array([getattr(result.metrics, metric) for result in results], dtype=np.float64)
    return bootstrap_interval([values], metric, confidence)


def bootstrap_interval(
    groups: Sequence[FloatArray], metric: str, confidence: float
) -> tuple[float, float] | None:
    """Interval of the mean over all groups, each resampled by itself; None where one has one value.

    The metric chooses the random stream.
    """
    if min(map(len, groups)) < 2:
        return None
    values = np.concatenate(groups)
    rng = stream(0, "bootstrap", metric)
    deviations = sum(resampled_deviations(group, rng) for group in groups) / len(values)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(deviations, [tail, 1.0 - tail]) * widening(
        pooled_freedom(groups), confidence
    )
    mean = float(values.mean())
    return mean + float(low), mean + float(high)


def resampled_deviations(group: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(RESAMPLES,) sums of as many draws from the group, less the group's own sum.

    Draws from n values vary by (n - 1) / n of what new values would: that is made up for.
    """
    draws = rng.integers(len(group), size=(RESAMPLES, len(group)))
    factor = np.sqrt(len(group) / (len(group) - 1))
    deviations: FloatArray = (group[draws].sum(axis=1) - group.sum()) * factor
    return deviations


def pooled_freedom(groups: Sequence[FloatArray]) -> float:
    """Degrees of freedom of the spread of the mean over all groups (Welch 1947, "The generalization
    of 'Student's' problem when several different population variances are involved").

    Every value counts the same in that mean, so group g, with n values of variance s2, has the part
    n * s2 in its variance. One wide group of two values is known no better for three narrow ones.
    """
    parts = np.array([len(group) * group.var(ddof=1) for group in groups])
    if not parts.any():
        return 1.0  # no spread, whatever it is multiplied by
    parts /= parts.sum()
    each = np.array([len(group) - 1 for group in groups])
    return float(1.0 / np.sum(parts**2 / each))


def widening(freedom: float, confidence: float) -> float:
    """How much wider Student's interval is than the normal one, which the bootstrap comes to.

    Without it and the factor above, 95 % intervals would cover the truth in 52 % of cases with two
    pairs, in 85 % with five and in 92 % with twenty (Hesterberg 2015, The American Statistician
    69(4), "What teachers should know about the bootstrap", on the narrowness of percentiles).
    """
    return student_quantile(freedom, confidence) / NormalDist().inv_cdf((1.0 + confidence) / 2.0)


def student_quantile(freedom: float, confidence: float) -> float:
    """What Student's t stays within, either way, as often as the confidence says.

    With t = sqrt(freedom) * tan(a) its density is that of cos(a) ** (freedom - 1) (Abramowitz and
    Stegun 1964, 26.7.3), here summed up by trapezoids: numpy has no quantiles of t.
    """
    angles = np.linspace(0.0, np.pi / 2, 10_001)
    density = np.cos(angles) ** (freedom - 1.0)
    within = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    angle = np.interp(confidence, within / within[-1], angles)
    return float(np.sqrt(freedom) * np.tan(angle))


def interquartile_mean(values: Sequence[float]) -> float:
    """Mean of the middle half, the values at its ends counting in part (Agarwal et al. 2021,
    "Deep reinforcement learning at the edge of the statistical precipice")."""
    count = len(values)
    # How much of each value lies between the quartiles, each value being one unit wide.
    upper = np.minimum(np.arange(1, count + 1), 0.75 * count)
    lower = np.maximum(np.arange(count), 0.25 * count)
    return float(np.average(np.sort(values), weights=np.clip(upper - lower, 0.0, None)))


def find_diverged(results: Sequence[EpisodeResult]) -> set[Episode]:
    """The episodes that ended in gridlock: their means say little beside those of the others."""
    best: dict[tuple[str, int], int] = {}
    for result in results:
        pair = result.scenario, result.seed
        best[pair] = max(best.get(pair, 0), result.metrics.arrived)
    return {
        (result.controller, result.scenario, result.seed)
        for result in results
        if (
            result.metrics.arrived < LEAST_COMPLETION * best[result.scenario, result.seed]
            and result.metrics.waiting_time_s > MOST_STANDING * result.metrics.travel_time_s
        )
        or stands(result.metrics)
        or result.metrics.teleports > MOST_TELEPORTS * result.metrics.scheduled
    }


def stands(metrics: EpisodeMetrics) -> bool:
    """Whether the network came to a standstill, which its own vehicles tell, without others.

    Who was not let in does not count: more demand than the streets carry is no gridlock.
    """
    inside_s = metrics.travel_time_s - metrics.depart_delay_s
    return metrics.waiting_time_s - metrics.depart_delay_s > MOST_STOPPED * inside_s


def completion_differs(results: Sequence[EpisodeResult]) -> bool:
    """Whether controllers brought other shares of a scenario's vehicles to their ends.

    Then means that leave out what is still to come, such as travel time, rank nothing. What one
    scenario lacks, another does not make up for.
    """
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for result in results:
        of_scenario = counts.setdefault(result.scenario, {})
        arrived, scheduled = of_scenario.get(result.controller, (0, 0))
        metrics = result.metrics
        of_scenario[result.controller] = arrived + metrics.arrived, scheduled + metrics.scheduled
    for of_scenario in counts.values():
        shares = [arrived / max(scheduled, 1) for arrived, scheduled in of_scenario.values()]
        if max(shares) - min(shares) > SAME_COMPLETION:
            return True
    return False
