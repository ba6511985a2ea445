"""What the groups of a study differ in, and what each came to: the best by validation is marked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trafficrl.evaluation.report.groups import Group, value_text
from trafficrl.evaluation.report.learning import BEST, validated
from trafficrl.evaluation.report.study_runs import StudyRun
from trafficrl.evaluation.report.table import Row, TableText
from trafficrl.evaluation.statistics import bootstrap_interval
from trafficrl.evaluation.tables import number

__all__ = ["Found", "hyperparameter_table", "over_seeds"]

DELAY = "validation/delay_s"
MARK = "★"
MOST_KEYS = 12
"""Columns of a table that can be read; the other keys are named below it."""
NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Found:
    """A value of each training seed, and what is said of them all."""

    values: tuple[float, ...]
    interval: tuple[float, float] | None

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.values))

    def text(self, *, sign: str = "") -> str:
        """Mean, and the interval over the seeds where there are several."""
        shown = number(self.mean, sign=sign)
        if self.interval is None:
            return shown
        low, high = (number(value, sign=sign) for value in self.interval)
        return f"{shown} ({low} to {high})"


def over_seeds(values: Sequence[float], metric: str, confidence: float) -> Found | None:
    """What trainings that differ in the seed alone came to; None where there is none.

    The interval is of the mean of further seeds: what one may expect of the configuration.
    """
    if not values:
        return None
    interval = bootstrap_interval([np.array(values)], metric, confidence)
    return Found(tuple(values), interval)


def hyperparameter_table(groups: Sequence[Group], confidence: float) -> TableText:
    """A row a group: the keys in which they differ, then what they came to on validation demand."""
    keys = list(groups[0].values) if groups else []
    shown, unshown = keys[:MOST_KEYS], keys[MOST_KEYS:]
    scores = {group.label: _score(group, confidence) for group in groups}
    best = _best(groups, scores)
    level = f"{confidence:.0%} interval"
    columns = (
        *shown,
        "validated seeds",
        f"validation delay [s] ({level})",
        "best step [decisions]",
        "best",
    )
    rows = []
    for group in groups:
        score = scores[group.label]
        cells = [value_text(group.values[key]) for key in shown]
        cells.append(f"{len(score.values) if score else 0} of {len(group.runs)}")
        cells.append(score.text() if score else NOTHING)
        cells.append(_steps(group))
        cells.append(f"{MARK} best" if group.label in best else "")
        rows.append(Row(group.label, tuple(cells), best=group.label in best))
    return TableText(columns, tuple(rows), tuple(_notes(groups, unshown, best)))


def _score(group: Group, confidence: float) -> Found | None:
    found = [validated(run.training, DELAY, BEST) for run in group.runs]
    values = [score for _, score in filter(None, found)]
    return over_seeds(values, DELAY, confidence)


def _steps(group: Group) -> str:
    """The steps at which the best models were."""
    found = [validated(run.training, DELAY, BEST) for run in group.runs]
    steps = [step for step, _ in filter(None, found)]
    if not steps:
        return NOTHING
    low, high = min(steps), max(steps)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _best(groups: Sequence[Group], scores: dict[str, Found | None]) -> set[str]:
    """The group with the least validation delay, among those that were validated alike."""
    alike: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        if scores[group.label] is not None:
            alike[group.settings].append(group)
    best = set()
    for members in alike.values():
        if len(members) > 1:
            means = {one.label: found.mean for one in members if (found := scores[one.label])}
            best.add(min(means, key=lambda label: means[label]))
    return best


def _notes(groups: Sequence[Group], unshown: Sequence[str], best: set[str]) -> list[str]:
    notes = [
        "Runs of a group differ in their seed alone; a column is a key in which groups differ. "
        "Validation delay: that of each seed's best model so far on the validation demand, mean "
        "over the seeds. The test demand below is looked at, never chosen by."
    ]
    if best:
        notes.append(
            f"{MARK} The least mean validation delay among configurations with the same network, "
            "scenarios and episode length. Overlapping intervals do not tell two apart."
        )
    if unshown:
        notes.append(f"{len(unshown)} more keys differ: {', '.join(unshown)}.")
    ended = sum(_has_ended(run) for group in groups for run in group.runs)
    total = sum(len(group.runs) for group in groups)
    if ended < total:
        notes.append(f"{total - ended} of {total} runs have not been judged yet.")
    return notes


def _has_ended(run: StudyRun) -> bool:
    return run.judged is not None
