"""A picture of a demand: when vehicles depart, and where their trips start and end.

Shapes: N vehicles, E edges of the network, K points of a line.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from trafficrl.demand.route_files import Departures
from trafficrl.errors import DemandError
from trafficrl.network.canvas import (
    lay_out,
    map_size_in,
    new_figure,
    points_per_metre,
    save_figure,
    set_map,
)
from trafficrl.network.model import Network

__all__ = ["draw_demand"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BIN_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST_BINS = 60
TICK_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_TICKS = 12
STEPS = (1, 2, 5, 10)
"""Multiples on an axis of vehicles."""
TYPE_COLOURS = ("#4477AA", "#EE6677", "#CCBB44", "#228833", "#AA3377", "#66CCEE")
"""Paul Tol's "bright" scheme."""
OTHER_COLOUR = "#BBBBBB"
EMPTY_ROAD = "#CCCCCC"
# Without the palest yellow, which would look like no trips at all on white.
TRIPS = LinearSegmentedColormap.from_list("trips", colormaps["viridis_r"](np.linspace(0.12, 1, 64)))
NARROW_PT, WIDE_PT = 1.2, 6.0
MAP_IN = 7.0
TIMES_IN = 3.0


def draw_demand(
    departures: Departures, network: Network, file: Path, *, name: str = "", clock_s: float = 0.0
) -> None:
    """Draw the demand into a PNG file: departures over time above, two maps below.

    Args:
        departures: who is due.
        network: on which they drive.
        file: the picture.
        name: what the demand is called, for its title.
        clock_s: clock time of simulation second 0.

    Raises:
        DemandError: the file cannot be written.
    """
    width_in, height_in = map_size_in(network, MAP_IN)
    # The title needs some width, however narrow the maps are.
    figure = new_figure(max(2 * width_in + 2.0, 9.0), TIMES_IN + height_in + 0.8)
    rows = figure.add_gridspec(2, 1, height_ratios=(TIMES_IN, height_in + 0.6))
    times = figure.add_subplot(rows[0])
    places = rows[1].subgridspec(1, 2)
    maps = [figure.add_subplot(places[0, column]) for column in (0, 1)]
    _draw_times(times, departures, clock_s)
    times.set_title(
        f"{name}: {_summary(departures, clock_s)}" if name else _summary(departures, clock_s)
    )
    edges = (departures.from_edge, departures.to_edge)
    counts = [np.bincount(ends[ends >= 0], minlength=len(network.edges)) for ends in edges]
    for axes, count, title in zip(maps, counts, ("Trips start", "Trips end"), strict=True):
        set_map(axes, network)
        unknown = len(departures) - int(count.sum())
        axes.set_title(title + (f" ({unknown} elsewhere)" if unknown else ""))
        _add_colourbar(figure, axes, count)
    lay_out(figure)
    for axes, count in zip(maps, counts, strict=True):
        _draw_trips(axes, network, count, points_per_metre(figure, axes))
    try:
        save_figure(figure, file)
    except OSError as error:
        raise DemandError(f"picture {file} cannot be written: {error.strerror}") from error


def _summary(departures: Departures, clock_s: float) -> str:
    about = "" if departures.exact else "about "
    window = (departures.begin_s, departures.end_s)
    begin, end = (_clock(time_s + clock_s) for time_s in window)
    vehicles = f"{len(departures)} vehicle{'s' * (len(departures) != 1)}"
    return f"{about}{vehicles}, {begin} to {end}"


def _draw_times(axes: Axes, departures: Departures, clock_s: float) -> None:
    """Stacked bars, the commonest type below."""
    length_s = departures.end_s - departures.begin_s
    bin_s = next((size for size in BIN_S if length_s / size <= MOST_BINS), BIN_S[-1])
    bounds_s = departures.begin_s + np.arange(0, length_s + bin_s, bin_s)
    floor = np.zeros(len(bounds_s) - 1)
    for label, colour, among in _groups(departures):
        heights = np.histogram(departures.depart_s[among], bounds_s)[0]
        axes.bar(
            bounds_s[:-1] + clock_s,
            heights,
            width=bin_s,
            bottom=floor,
            align="edge",
            color=colour,
            edgecolor="white",
            linewidth=0.4,
            label=label,
        )
        floor += heights
    axes.set(
        xlim=(departures.begin_s + clock_s, departures.end_s + clock_s),
        ylabel=f"departures [veh in {_duration(bin_s)}]",
        xlabel="time [h:mm]",
    )
    tick_s = next((size for size in TICK_S if length_s / size <= MOST_TICKS), TICK_S[-1])
    axes.xaxis.set_major_locator(MultipleLocator(tick_s))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: _clock(time_s)))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=STEPS))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _groups(departures: Departures) -> list[tuple[str, str, npt.NDArray[np.bool_]]]:
    """Label, colour and vehicles (N,) of each type, the commonest first, the rest as one."""
    kinds = departures.vehicle_type
    counts = np.bincount(kinds, minlength=len(departures.type_names))
    order = np.argsort(-counts, kind="stable")
    if len(order) > len(TYPE_COLOURS):
        shown, rest = order[: len(TYPE_COLOURS) - 1], order[len(TYPE_COLOURS) - 1 :]
    else:
        shown, rest = order, order[:0]
    groups = [
        (f"{departures.type_names[kind]} ({counts[kind]})", colour, kinds == kind)
        for kind, colour in zip(shown.tolist(), TYPE_COLOURS, strict=False)
    ]
    if len(rest):
        label = f"{len(rest)} other types ({counts[rest].sum()})"
        groups.append((label, OTHER_COLOUR, np.isin(kinds, rest)))
    return groups


def _add_colourbar(figure: Figure, axes: Axes, count: IntArray) -> None:
    mappable = ScalarMappable(norm=_norm(count), cmap=TRIPS)
    bar = figure.colorbar(mappable, ax=axes, shrink=0.6, aspect=30, label="trips [veh]")
    bar.locator = MaxNLocator(integer=True, nbins=6, steps=STEPS)
    bar.update_ticks()


def _norm(count: IntArray) -> Normalize:
    """By the square root: a map on which few edges draw most trips still shows the others."""
    return PowerNorm(0.5, vmin=0, vmax=max(int(count.max(initial=0)), 1))


def _draw_trips(axes: Axes, network: Network, count: IntArray, scale: float) -> None:
    """Edges by the number of their trips (E,), the busiest on top; scale in points a metre."""
    lanes = [lane.shape for lane in network.lanes]
    links = (
        (network.lane_index[c.from_lane], network.lane_index[c.to_lane])
        for c in network.connections
    )
    roads = [*lanes, *((lanes[start][-1], lanes[end][0]) for start, end in links)]
    axes.add_collection(LineCollection(roads, colors=EMPTY_ROAD, linewidths=0.7, zorder=1))
    norm = _norm(count)
    busy = [edge for edge in np.argsort(count, kind="stable").tolist() if count[edge]]
    widths = [NARROW_PT + (WIDE_PT - NARROW_PT) * float(norm(count[edge])) for edge in busy]
    # Both directions of a street are seen: each line lies to the right of the street's middle.
    lines = [
        _shifted(np.array(network.edges[edge].lanes[-1].shape), width / 2 / scale)
        for edge, width in zip(busy, widths, strict=True)
    ]
    axes.add_collection(
        LineCollection(
            lines,
            colors=TRIPS(norm(count[busy])),
            linewidths=widths,
            capstyle="butt",
            zorder=2,
        )
    )


def _shifted(line: FloatArray, right_m: float) -> FloatArray:
    """The line (K, 2), moved to the right as one looks along it."""
    ahead = np.gradient(line, axis=0)
    right = np.column_stack((ahead[:, 1], -ahead[:, 0]))
    length = np.linalg.norm(right, axis=1, keepdims=True)
    return line + right_m * right / np.where(length > 0, length, 1.0)


def _clock(time_s: float) -> str:
    """h:mm, and the seconds where there are some; hours run on after midnight."""
    minutes, seconds = divmod(round(time_s), 60)
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return f"{text}:{seconds:02d}" if seconds else text


def _duration(length_s: int) -> str:
    if length_s % 3600 == 0:
        return f"{length_s // 3600} h"
    return f"{length_s // 60} min" if length_s % 60 == 0 else f"{length_s} s"
