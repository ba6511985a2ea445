"""How trainings went: validation and reward over the environment steps, a line a run."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

from trafficrl.evaluation.report.picture import Picture, picture, plain_axes, plain_text, style
from trafficrl.evaluation.report.run_folder import JudgedRun
from trafficrl.network.canvas import new_figure

__all__ = ["curve", "draw_learning"]

PANELS = (
    ("validation/delay_s", "Validation", "mean delay [s]"),
    ("rollout/ep_rew_mean", "Training", "sum of rewards of an episode"),
)
WIDTH_IN, HEIGHT_IN = 11.0, 3.0
STEPS = "timesteps"


def curve(run: JudgedRun, column: str) -> list[tuple[float, float]]:
    """Environment steps and value, where there is one."""
    rows = zip(run.training.get(STEPS, ()), run.training.get(column, ()), strict=False)
    return [(step, value) for step, value in rows if not math.isnan(value)]


def draw_learning(runs: Sequence[JudgedRun]) -> Picture | None:
    """Learning curves of the trained runs; None where there is none."""
    trained = [run for run in runs if any(curve(run, column) for column, _, _ in PANELS)]
    if not trained:
        return None
    with plain_text():
        figure = new_figure(WIDTH_IN, HEIGHT_IN)
        lines: dict[str, Any] = {}
        for axes, (column, title, unit) in zip(figure.subplots(1, 2), PANELS, strict=True):
            plain_axes(axes)
            for index, run in enumerate(trained):
                points = curve(run, column)
                drawn = style(index)
                (lines[run.name],) = axes.plot(
                    [step for step, _ in points],
                    [value for _, value in points],
                    color=drawn.colour,
                    linestyle=drawn.dash,
                    marker=drawn.mark if len(points) <= 30 else "",
                    markersize=4,
                )
            axes.set(title=title, xlabel="environment steps [decisions]", ylabel=unit)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        names = [f" {name}" for name in lines]
        figure.legend(list(lines.values()), names, loc="outside right upper", frameon=False)
    return picture(
        figure,
        "Learning curves",
        "Left: mean delay on the validation demand, which the best model is chosen on (lower is "
        "better). Right: reward on the training demand (higher is better, and to be compared only "
        "between runs of the same reward).",
    )
