"""Plot of a section: delay by scenario with intervals, and beside the baseline's."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trafficrl.evaluation.report.picture import Picture, picture, plain_axes, plain_text
from trafficrl.evaluation.report.sections import Section
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.statistics import mean_interval
from trafficrl.network.canvas import new_figure

__all__ = ["draw_delays"]

WIDTH_IN = 11.0
ROW_IN = 0.27
BAR_COLOUR, BASELINE_COLOUR, SEED_COLOUR = "#4477AA", "#BBBBBB", "#222222"
WORSE_COLOUR, BETTER_COLOUR, EQUAL_COLOUR = "#CC3311", "#228833", "#888888"


def draw_delays(section: Section) -> Picture:
    """Mean delay of each controller and its difference to the baseline, a row a scenario."""
    with plain_text():
        figure = _draw_delays(section)
    return picture(figure, "Delay by scenario", _help(section.comparison))


def _help(comparison: Comparison) -> str:
    level = f"{comparison.confidence:.0%} interval"
    with_its = f" with its {level}" if comparison.has_intervals else ""
    help = f"Bars: mean delay{with_its}, each dot a test episode; shorter is better."
    if len(comparison.controllers) == 1:
        return help
    baseline = comparison.baseline
    if not comparison.has_intervals:
        return f"{help} Right: how much more or less delay than {baseline} on the same episode."
    return (
        f"{help} Right: how much more (red) or less (green) delay than {baseline} on the same "
        f"episodes, with the {level} of the difference; grey intervals hold 0 and tell nothing "
        "apart."
    )


def _draw_delays(section: Section) -> Figure:
    parts = {name: section.comparison.of_scenario(name) for name in section.scenarios}
    height_in = ROW_IN * len(section.labels) + 0.95
    figure = new_figure(WIDTH_IN, height_in * len(parts))
    grid = figure.subplots(len(parts), 2, squeeze=False, sharey=True, sharex="col")
    for (scenario, part), (delays, differences) in zip(parts.items(), grid, strict=True):
        _draw_means(delays, part, section.labels)
        delays.set(title=f"{scenario}: delay", xlabel="mean delay [s]")
        if len(section.labels) == 1:
            differences.set_visible(False)
            continue
        _draw_differences(differences, part, section.labels)
        differences.set(
            title=f"{scenario}: difference to {part.baseline}", xlabel="difference in delay [s]"
        )
    for axes in grid.ravel():
        axes.xaxis.set_tick_params(labelbottom=True)
    grid[0, 0].set_xlim(left=0)  # when all is drawn: an axis that is set grows no more
    return figure


def _draw_means(axes: Axes, part: Comparison, labels: Sequence[str]) -> None:
    plain_axes(axes)
    axes.grid(visible=False, axis="y")
    colours = [BASELINE_COLOUR if name == part.baseline else BAR_COLOUR for name in labels]
    rows = list(range(len(labels)))
    axes.barh(rows, [part.mean(name, "delay_s") for name in labels], color=colours, height=0.7)
    for row, name in enumerate(labels):
        results = [result for result in part.results if result.controller == name]
        delays = [result.metrics.delay_s for result in results]
        spread = np.linspace(-0.2, 0.2, len(delays)) if len(delays) > 1 else np.zeros(1)
        axes.plot(delays, row + spread, "o", color=SEED_COLOUR, markersize=2.0, alpha=0.5)
        interval = mean_interval(results, "delay_s", confidence=part.confidence)
        if interval is not None:
            axes.plot(interval, [row, row], "-", color=SEED_COLOUR, linewidth=1.2)
    axes.set_yticks(rows, [_marked(part, name) for name in labels])
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _draw_differences(axes: Axes, part: Comparison, labels: Sequence[str]) -> None:
    plain_axes(axes)
    axes.grid(visible=False, axis="y")
    axes.axvline(0.0, color=SEED_COLOUR, linewidth=0.8)
    for row, name in enumerate(labels):
        if name == part.baseline:
            continue
        found = part.difference(name, "delay_s")
        low, high = found.low, found.high
        colour = EQUAL_COLOUR
        if low is not None and high is not None:
            colour = BETTER_COLOUR if high < 0 else WORSE_COLOUR if low > 0 else EQUAL_COLOUR
            axes.plot([low, high], [row, row], "-", color=colour, linewidth=2.5)
        axes.plot([found.mean], [row], "o", color=colour, markersize=5)


def _marked(part: Comparison, name: str) -> str:
    shown = name if len(name) <= 34 else f"{name[:20]}…{name[-12:]}"
    return f"{shown} (diverged)" if part.num_diverged(name) else shown
