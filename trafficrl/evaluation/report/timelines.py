"""Plots of a section over the time of the day: delay by departure, and the network's queue."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from trafficrl.evaluation.report.picture import Picture, picture, plain_axes, plain_text, style
from trafficrl.evaluation.report.run_folder import JudgedRun
from trafficrl.evaluation.report.sections import Judged, Section
from trafficrl.evaluation.slices import ALL
from trafficrl.network.canvas import new_figure

__all__ = ["clock_of", "clock_text", "draw_delay_by_departure", "draw_queues_over_time"]

WIDTH_IN = 11.0
PANEL_IN = 2.6
TICK_S = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
MOST_TICKS = 7
MOST_MARKS = 30
"""More points of a line are told apart by their dashes alone."""
Points = Sequence[tuple[float, float]]
"""Simulation time at which a slice begins [s], and the value in it."""


def draw_delay_by_departure(section: Section) -> Picture | None:
    """Delay over the time at which vehicles were due, a panel a scenario; None with one slice."""
    return _draw(
        section,
        _delays,
        axes=("scheduled departure [h:mm]", "mean delay [s]"),
        title="Delay by time of day",
        help="Mean delay of all vehicles that were due in each slice of time, all test seeds "
        "together. A line that climbs shows growing queues. Who is due near the end has little "
        "time to lose.",
    )


def draw_queues_over_time(section: Section) -> Picture | None:
    """Vehicles that stand in the network, a panel a scenario; None with one slice, or not kept."""
    return _draw(
        section,
        _queues,
        axes=("time [h:mm]", "standing vehicles [veh]"),
        title="Queues by time of day",
        help="Vehicles that stand (below 0.1 m/s) in the whole network, mean over each slice of "
        "time and the test seeds. Those that wait to be let in are on no edge and not in it.",
    )


def _draw(
    section: Section,
    points_of: Callable[[Judged, str, JudgedRun], Points],
    *,
    axes: tuple[str, str],
    title: str,
    help: str,
) -> Picture | None:
    run = section.runs[0]
    lines = {
        scenario: {
            label: points
            for label in section.labels
            if (points := points_of(section.judged[label], scenario, run))
        }
        for scenario in section.scenarios
    }
    if all(len(points) < 2 for by_label in lines.values() for points in by_label.values()):
        return None
    with plain_text():
        figure = _draw_panels(section, lines, axes)
    return picture(figure, title, help)


def _draw_panels(
    section: Section, lines: Mapping[str, Mapping[str, Points]], titles: tuple[str, str]
) -> Figure:
    time, value = titles
    columns = min(2, len(lines))
    rows = math.ceil(len(lines) / columns)
    figure = new_figure(WIDTH_IN, PANEL_IN * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    drawn: dict[str, Any] = {}
    for axes, (scenario, by_label) in zip(grid, lines.items(), strict=False):
        plain_axes(axes)
        clock_s = clock_of(section.runs[0], scenario)
        for label, points in by_label.items():
            drawn[label] = _draw_line(axes, points, clock_s, section.place(label))
        axes.set(title=scenario, xlabel=time, ylabel=value)
        _clock_axis(axes)
    grid[0].set_ylim(bottom=0)
    for axes in grid[len(lines) :]:
        axes.set_visible(False)
    figure.legend(
        list(drawn.values()),
        [f" {label}" for label in drawn],
        loc="outside right upper",
        frameon=False,
    )
    return figure


def _draw_line(axes: Axes, points: Points, clock_s: float, index: int) -> Any:
    begins = [begin_s + clock_s for begin_s, _ in points]
    length_s = begins[1] - begins[0] if len(begins) > 1 else 0.0
    drawn = style(index)
    (line,) = axes.plot(
        [begin + length_s / 2 for begin in begins],
        [value for _, value in points],
        color=drawn.colour,
        linestyle=drawn.dash,
        marker=drawn.mark,
        markevery=max(1, len(points) // MOST_MARKS),
        markersize=4,
        linewidth=1.5,
    )
    return line


def _delays(judged: Judged, scenario: str, run: JudgedRun) -> Points:
    """Of all vehicles, by time."""
    return sorted(
        (one.slice_begin_s, one.delay_s)
        for one in judged.slices.get(scenario, ())
        if one.vehicle_type == ALL and one.slice_begin_s is not None
    )


def _queues(judged: Judged, scenario: str, run: JudgedRun) -> Points:
    kept = judged.slice_queues.get(scenario)
    if kept is None or not kept.edge_queue_veh:
        return ()
    begin_s = float(run.config["scenarios"][scenario].get("begin_s", 0.0))
    totals = np.sum(list(kept.edge_queue_veh.values()), axis=0)
    return [(begin_s + i * kept.slice_s, veh) for i, veh in enumerate(totals.tolist())]


def clock_of(run: JudgedRun, scenario: str) -> float:
    """Clock time of simulation second 0 [s]; given demand counts from midnight."""
    demand: Mapping[str, Any] = run.config["scenarios"][scenario]
    return float(demand.get("start_time_hour", 0.0)) * 3600.0


def _clock_axis(axes: Axes) -> None:
    low, high = axes.get_xlim()
    tick_s = next((size for size in TICK_S if (high - low) / size <= MOST_TICKS), TICK_S[-1])
    axes.xaxis.set_major_locator(MultipleLocator(tick_s))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: clock_text(time_s)))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))


def clock_text(time_s: float) -> str:
    """`8:15`, and the seconds where there are some."""
    minutes, seconds = divmod(round(time_s), 60)
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return f"{text}:{seconds:02d}" if seconds else text
