"""How trainings went: validation and reward over the environment steps.

A line is a training, or several that differ in the seed alone: then it is their mean, with its
interval, and each of them is a thin line behind it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trafficrl.evaluation.report.picture import (
    Picture,
    Style,
    picture,
    plain_axes,
    plain_text,
    style,
)
from trafficrl.evaluation.statistics import bootstrap_interval
from trafficrl.network.canvas import new_figure

__all__ = ["BEST", "Training", "curve", "draw_learning", "shared_steps", "validated"]

Training = Mapping[str, Sequence[float]]
"""`metrics.csv` by column."""
Points = list[tuple[float, float]]
PANELS = (
    ("validation/delay_s", "Validation", "mean delay [s]"),
    ("rollout/ep_rew_mean", "Training", "sum of rewards of an episode [reward]"),
)
WIDTH_IN, HEIGHT_IN = 11.0, 3.0
STEPS = "timesteps"
SCORE = "validation/score"
BEST, LAST = "best", "final"
MOST_MARKS = 30


def curve(training: Training, column: str) -> Points:
    """Environment steps and value, where there is one."""
    rows = zip(training.get(STEPS, ()), training.get(column, ()), strict=False)
    return [(step, value) for step, value in rows if not math.isnan(value)]


def validated(training: Training, column: str, which: str) -> tuple[float, float] | None:
    """Step and value of a column at a validation; None where nothing was validated.

    Args:
        training: what was learned.
        column: of the validation.
        which: `best` for the one that chose the best model, or `final`.
    """
    points = dict(curve(training, column))
    scores = {step: score for step, score in curve(training, SCORE) if step in points}
    if not scores:
        return None
    step = max(scores) if which == LAST else max(scores, key=lambda step: scores[step])
    return step, points[step]


def draw_learning(
    lines: Mapping[str, Sequence[Training]], *, confidence: float = 0.95
) -> Picture | None:
    """Learning curves; None where nobody has learned anything.

    Args:
        lines: name -> the trainings that differ in the seed alone.
        confidence: of the intervals over seeds.
    """
    trained = {
        name: found
        for name, trainings in lines.items()
        if (found := [one for one in trainings if any(curve(one, c) for c, _, _ in PANELS)])
    }
    if not trained:
        return None
    with plain_text():
        figure = new_figure(WIDTH_IN, HEIGHT_IN + 0.16 * max(len(trained) - 12, 0))
        drawn: dict[str, Any] = {}
        for axes, (column, title, unit) in zip(figure.subplots(1, 2), PANELS, strict=True):
            plain_axes(axes)
            for index, (name, trainings) in enumerate(trained.items()):
                known = list(filter(None, (curve(one, column) for one in trainings)))
                drawn[name] = _draw_line(axes, known, style(index), column, confidence)
            every = [curve(one, column) for found in trained.values() for one in found]
            _set_limits(axes, [value for points in every for _, value in points])
            axes.set(title=title, xlabel="environment steps [decisions]", ylabel=unit)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        names = [f" {name}" for name in drawn]
        figure.legend(list(drawn.values()), names, loc="outside right upper", frameon=False)
    several = any(len(found) > 1 for found in trained.values())
    return picture(figure, "Learning curves", _help(confidence if several else None))


def _help(confidence: float | None) -> str:
    seeds = ""
    if confidence is not None:
        seeds = (
            f" Thick: the mean over training seeds with its {confidence:.0%} interval, as far as "
            "all seeds have come; thin: each seed."
        )
    return (
        "Left: mean delay on the validation demand, which the best model is chosen on (lower is "
        "better). Right: reward on the training demand (higher is better, and to be compared only "
        f"between runs of the same reward).{seeds}"
    )


def _draw_line(
    axes: Axes, trainings: Sequence[Points], drawn: Style, column: str, confidence: float
) -> Any:
    """The mean of the trainings, and behind it each of them where there are several."""
    if len(trainings) > 1:
        for points in trainings:
            axes.plot(
                [step for step, _ in points],
                [value for _, value in points],
                color=drawn.colour,
                linestyle=drawn.dash,
                marker=drawn.mark,
                markevery=max(1, len(points) // MOST_MARKS),
                markersize=2,
                linewidth=0.6,
                alpha=0.6,
            )
    shared = shared_steps(trainings)
    if len(trainings) > 1 and shared:
        values = map(np.array, shared.values())
        bands = [bootstrap_interval([one], column, confidence) for one in values]
        low, high = zip(*filter(None, bands), strict=True)
        axes.fill_between(list(shared), low, high, color=drawn.colour, alpha=0.15, linewidth=0)
    (line,) = axes.plot(
        list(shared),
        [float(np.mean(values)) for values in shared.values()],
        color=drawn.colour,
        linestyle=drawn.dash,
        marker=drawn.mark,
        markevery=max(1, len(shared) // MOST_MARKS),
        markersize=4,
    )
    return line


def _set_limits(axes: Axes, values: Sequence[float]) -> None:
    """By the trainings alone: the intervals of two seeds would leave nothing else to be seen."""
    if values:
        margin = 0.05 * (max(values) - min(values)) or 1.0
        axes.set_ylim(min(values) - margin, max(values) + margin)


def shared_steps(trainings: Sequence[Points]) -> dict[float, list[float]]:
    """Step -> the value of each training, at the steps that all have."""
    values = [dict(points) for points in trainings]
    steps = sorted(set.intersection(*map(set, values))) if values else []
    return {step: [one[step] for one in values] for step in steps}
