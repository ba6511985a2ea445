"""Where vehicles stand: the network with the mean queue of each edge, a map a controller."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, PowerNorm

from trafficrl.evaluation.report.picture import Picture, picture, plain_text
from trafficrl.evaluation.report.sections import Section
from trafficrl.network.canvas import lay_out, map_size_in, new_figure, points_per_metre, set_map
from trafficrl.network.model import Network

__all__ = ["QUEUE", "beside", "draw_queues", "road_lines"]

Line = tuple[tuple[float, float], ...]
MOST_COLUMNS = 4
MAP_IN = 2.9
LARGEST_MAP_IN = 4.5
NARROW_PT, WIDE_PT = 0.8, 4.0
EMPTY_ROAD = "#CCCCCC"
# Without the palest yellow, which would look like an empty road.
QUEUE = LinearSegmentedColormap.from_list("queue", colormaps["viridis_r"](np.linspace(0.12, 1, 64)))


def draw_queues(section: Section, scenario: str, network: Network) -> Picture | None:
    """Maps of one scenario on one scale; None where no controller's queues were kept."""
    kept = {
        label: section.judged[label].queues[scenario]
        for label in section.labels
        if scenario in section.judged[label].queues
    }
    if not kept:
        return None
    columns = min(MOST_COLUMNS, len(kept))
    rows = math.ceil(len(kept) / columns)
    side_in = min(LARGEST_MAP_IN, MAP_IN * MOST_COLUMNS / columns)
    width_in, height_in = map_size_in(network, side_in)
    with plain_text():
        figure = new_figure(columns * width_in + 1.4, rows * (height_in + 0.45) + 0.2)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        largest = max((max(queues.values(), default=0.0) for queues in kept.values()), default=0.0)
        norm = PowerNorm(0.5, vmin=0.0, vmax=largest or 1.0)
        for axes, (label, queues) in zip(grid, kept.items(), strict=False):
            set_map(axes, network)
            axes.label_outer()
            axes.set_title(f"{label}: {sum(queues.values()):.1f} veh")
        for axes in grid[len(kept) :]:
            axes.set_visible(False)
        figure.colorbar(
            ScalarMappable(norm=norm, cmap=QUEUE),
            ax=list(grid),
            label="mean queue of an edge [veh]",
            shrink=0.8,
            aspect=30,
        )
        lay_out(figure)
        for axes, queues in zip(grid, kept.values(), strict=False):
            _draw_edges(axes, network, queues, norm, points_per_metre(figure, axes))
    return picture(
        figure,
        f"Queues in the network: {scenario}",
        "Vehicles that stand (below 0.1 m/s) on each edge, mean over time and test seeds; beside "
        "each name the whole network's. Those that wait to be let in are on no edge: the queue in "
        "the table counts them as well. Dark, wide edges hold the queues; the scale is the same "
        "in all maps and goes by the square root.",
        pixels=True,
    )


def _draw_edges(
    axes: Axes, network: Network, queues: Mapping[str, float], norm: PowerNorm, scale: float
) -> None:
    """Edges by their queue, the longest on top; scale in points a metre."""
    roads = road_lines(network)
    axes.add_collection(LineCollection(roads, colors=EMPTY_ROAD, linewidths=0.5, zorder=1))
    queueing = sorted(
        (edge for edge in network.edges if queues.get(edge.id, 0.0) > 0),
        key=lambda edge: queues[edge.id],
    )
    shares = np.array([float(norm(queues[edge.id])) for edge in queueing])
    widths = NARROW_PT + (WIDE_PT - NARROW_PT) * shares
    lines = [
        beside(edge.lanes[-1].shape, width / 2 / scale)
        for edge, width in zip(queueing, widths.tolist(), strict=True)
    ]
    axes.add_collection(
        LineCollection(lines, colors=QUEUE(shares), linewidths=widths, capstyle="butt", zorder=2)
    )


def road_lines(network: Network) -> list[Line]:
    """All lanes, and how they go on over junctions."""
    links = (
        (network.lane_index[link.from_lane], network.lane_index[link.to_lane])
        for link in network.connections
    )
    lanes = [lane.shape for lane in network.lanes]
    return [*lanes, *((lanes[start][-1], lanes[end][0]) for start, end in links)]


def beside(line: Sequence[tuple[float, float]], right_m: float) -> list[tuple[float, float]]:
    """The line, moved to the right as one looks along it: both directions of a street are seen."""
    points = np.array(line)
    ahead = np.gradient(points, axis=0)
    right = np.column_stack((ahead[:, 1], -ahead[:, 0]))
    length = np.linalg.norm(right, axis=1, keepdims=True)
    moved = points + right_m * right / np.where(length > 0, length, 1.0)
    return [(float(x), float(y)) for x, y in moved]
