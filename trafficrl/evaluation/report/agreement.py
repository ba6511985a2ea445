"""Whether two trainings agree: the same code on another machine, or before and after a change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trafficrl.errors import RunError
from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.outcome import EpisodeResult
from trafficrl.evaluation.report.differences import changes
from trafficrl.evaluation.report.learning import BEST, validated
from trafficrl.evaluation.report.run_folder import JudgedRun, flat

__all__ = [
    "POLICY",
    "WHERE_AND_HOW",
    "Check",
    "check_agreement",
    "configured_differently",
    "unshared_seeds",
]

POLICY = "policy"
"""What a training calls the model that it judges."""
MOST_SLOWER = 0.10
"""A step of the second training may take so much longer."""
RARE = ("teleports", "collisions", "emergency_brakings")
FEW = 0.001
"""Counts of rare events also agree when they differ by that part of the scheduled vehicles: one
event more is many percent of few."""
VALIDATION = (
    ("validation/delay_s", "delay [s]"),
    ("validation/reward", "reward"),
    ("validation/arrived_share", "arrived share"),
)
WHERE_AND_HOW = (
    *("backend", "gui", "device", "torch_threads", "trackers", "cache_dir", "models_dir"),
    *("checkpoint_freq", "keep_checkpoints", "time_limit"),
    *("hang_timeout_s", "on_crash", "max_crashes"),
)
"""Keys of the execution that two trainings need not share to be the same."""


@dataclass(frozen=True, slots=True)
class Check:
    """One value of both trainings; None where one does not have it."""

    name: str
    first: float | None
    second: float | None
    agrees: bool
    allowance: str = ""
    """By which it agrees, where that is not the tolerance."""

    def __str__(self) -> str:
        if self.first is None or self.second is None:
            values = " ".join(
                f"{'none' if v is None else f'{v:.4g}':>12}" for v in (self.first, self.second)
            )
            return f"{self._mark} {self.name:<44}{values}"
        change = self.second - self.first
        share = f" ({change / abs(self.first):+.1%})" if self.first else ""
        return (
            f"{self._mark} {self.name:<44}{self.first:>12.4f} {self.second:>12.4f} "
            f"{change:>+12.4f}{share}{self.allowance}"
        )

    @property
    def _mark(self) -> str:
        return "ok     " if self.agrees else "DIFFERS"


def check_agreement(
    first: JudgedRun, second: JudgedRun, *, tolerance: float, times: bool = True
) -> list[Check]:
    """Every check of the second training beside the first.

    Args:
        first: the reference.
        second: what is compared with it.
        tolerance: largest difference as a share of the first's value.
        times: whether a step may not take longer either.

    Raises:
        RunError: a folder holds no training, or they share no scenario.
    """
    for run in (first, second):
        if not run.training:
            raise RunError(f"{run.folder} holds no training: it has no metrics.csv")
    return [
        *_validation(first, second, tolerance),
        *_test(first, second, tolerance),
        *(_step_times(first, second) if times else ()),
    ]


def configured_differently(first: JudgedRun, second: JudgedRun) -> str:
    """The keys, with both values, in which more differs than seeds and where and how it was run.

    They decide nothing about agreement: a configuration that was migrated, or another SUMO, is what
    one may want to know of whether it gives the same. But nobody should overlook them.
    """
    return changes(_decided(first, second), _decided(second, first))


def unshared_seeds(first: JudgedRun, second: JudgedRun) -> list[str]:
    """A line for each scenario of both in which one was judged on test seeds that the other lacks.

    Only those that both have are compared: the same demand for both.
    """
    found = []
    for scenario in first.settings.keys() & second.settings.keys():
        seeds = [set(_learned(run, scenario)) for run in (first, second)]
        if seeds[0] != seeds[1]:
            shared = len(seeds[0] & seeds[1])
            found.append(
                f"{scenario}: compared on the {shared} test seeds that both have; {first.name} has "
                f"{len(seeds[0])}, {second.name} {len(seeds[1])}"
            )
    return sorted(found)


def _decided(run: JudgedRun, other: JudgedRun) -> dict[str, Any]:
    """What the trainings learned on and how; files count by their content, as in `settings`."""
    execution = run.config["execution"]
    found = {
        "algorithm": run.config["algorithm"],
        "reward": run.config["reward"],
        "execution": {key: execution[key] for key in execution if key not in WHERE_AND_HOW},
        "resume_from": run.config.get("resume_from"),
    }
    for scenario in run.settings.keys() & other.settings.keys():
        found |= run.settings[scenario]
    return flat(found)


def _validation(first: JudgedRun, second: JudgedRun, tolerance: float) -> Iterator[Check]:
    """At the last validation, and at the one that chose the best model."""
    for which in ("final", BEST):
        for column, title in VALIDATION:
            values = [_validated(run, column, which) for run in (first, second)]
            if values != [None, None]:
                name = f"validation, {which}: {title}"
                yield _check(name, values[0], values[1], tolerance)


def _validated(run: JudgedRun, column: str, which: str) -> float | None:
    found = validated(run.training, column, which)
    return None if found is None else found[1]


def _test(first: JudgedRun, second: JudgedRun, tolerance: float) -> Iterator[Check]:
    """Means of the trained policy over the test seeds that both have."""
    shared = [name for name in first.settings if name in second.settings]
    if not shared:
        raise RunError(f"{first.name} and {second.name} share no scenario")
    for name in {**first.settings, **second.settings}:
        if name not in shared:
            yield Check(f"{name}: judged by one of them alone", None, None, agrees=False)
    for scenario in shared:
        results = [_learned(run, scenario) for run in (first, second)]
        seeds = set(results[0]) & set(results[1])
        if not seeds:
            raise RunError(f"{scenario}: {first.name} and {second.name} share no test seed")
        chosen = [[found[seed] for seed in sorted(seeds)] for found in results]
        for metric, known in METRICS.items():
            scheduled = float(np.mean([one.metrics.scheduled for one in chosen[0]]))
            values = [_mean(found, metric) for found in chosen]
            few, of = 0.0, ""
            if metric in RARE:
                few, of = FEW * scheduled, f"{FEW:.1%} of the scheduled vehicles"
            if metric == "depart_delay_s":  # a part of the delay, and often next to nothing
                few = tolerance * float(np.mean([one.metrics.delay_s for one in chosen[0]]))
                of = f"{tolerance:.3g} of the delay"
            unit = f" [{known.unit}]" if known.unit else ""
            if values != [None, None]:
                name = f"{scenario}: {known.title}{unit}"
                yield _check(name, values[0], values[1], tolerance, few=few, of=of)


def _learned(run: JudgedRun, scenario: str) -> dict[int, EpisodeResult]:
    """By SUMO's seed."""
    return {
        result.sumo_seed: result
        for result in run.results
        if (result.controller, result.scenario) == (POLICY, scenario)
    }


def _mean(results: Sequence[EpisodeResult], metric: str) -> float | None:
    values = [getattr(result.metrics, metric) for result in results]
    return None if None in values else float(np.mean(values))


def _step_times(first: JudgedRun, second: JudgedRun) -> Iterator[Check]:
    parts = {**first.step_ms, **second.step_ms}
    for part in parts or ("rollout", "update"):
        before, after = first.step_ms.get(part), second.step_ms.get(part)
        agrees = before is not None and after is not None and after <= (1 + MOST_SLOWER) * before
        yield Check(f"time of a step, {part} [ms]", before, after, agrees)


def _check(
    name: str,
    first: float | None,
    second: float | None,
    tolerance: float,
    *,
    few: float = 0.0,
    of: str = "",
) -> Check:
    """The check; `few` is an absolute difference that agrees as well, and `of` what it is."""
    if first is None or second is None:
        return Check(name, first, second, agrees=False)
    change = abs(second - first)
    if tolerance * abs(first) < change <= few:
        return Check(name, first, second, agrees=True, allowance=f"; within {few:.4g}, {of}")
    return Check(name, first, second, agrees=change <= tolerance * abs(first))
