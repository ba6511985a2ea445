"""A picture of a network: land use, streets lane by lane, signals."""

from collections import Counter
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from trafficrl.errors import NetworkError
from trafficrl.network.canvas import (
    LANE_WIDTH_M,
    lay_out,
    map_size_in,
    new_figure,
    points_per_metre,
    save_figure,
    set_map,
)
from trafficrl.network.junction_marks import (
    ROAD_COLOUR,
    SIGNAL_COLOUR,
    draw_junctions,
    signalised_junctions,
)
from trafficrl.network.model import Network

__all__ = ["draw_network"]

# Paul Tol's "light" scheme: told apart by all kinds of colour vision, and dark roads stand out.
COLOURS = {
    "Residential": "#EEDD88",
    "Employment": "#77AADD",
    "Public Buildings": "#FFAABB",
    "Mixed": "#EE8866",
    "Entertainment/Retail": "#AAAA00",
    "Public Open Space": "#44BB99",
}
OTHER_COLOUR = "#DDDDDD"
LANE_SHARE = 0.8
"""Drawn part of a lane's width, so that lanes can be told apart."""
LAND_USE_ALPHA = 0.75
SIDE_IN = 10.0
Point = tuple[float, float]
LEAST_LINE_PT = 0.4
LEGEND_IN = 2.5


def draw_network(network: Network, file: Path) -> None:
    """Draw the network into a PNG file.

    Raises:
        NetworkError: the file cannot be written.
    """
    width_in, height_in = map_size_in(network, SIDE_IN)
    figure = new_figure(width_in + LEGEND_IN, height_in + 0.5)
    axes = figure.add_subplot()
    set_map(axes, network)
    axes.set_title(_title(network))
    _draw_land_use(axes, network)
    figure.legend(handles=_legend(network), loc="outside right upper", frameon=False)
    lay_out(figure)
    _draw_lanes(axes, network, LANE_SHARE * LANE_WIDTH_M * points_per_metre(figure, axes))
    draw_junctions(axes, network)
    try:
        save_figure(figure, file)
    except OSError as error:
        raise NetworkError(f"picture {file} cannot be written: {error.strerror}") from error


def _title(network: Network) -> str:
    lanes = Counter(len(network.edge_by_id[street.tail].lanes) for street in network.streets)
    widths = ", ".join(
        f"{count} with {_counted(number, 'lane')}" for number, count in sorted(lanes.items())
    )
    counts = (
        _counted(len(network.junctions), "junction"),
        _counted(len(network.signals), "signal"),
        _counted(len(network.streets), "street"),
    )
    return f"{', '.join(counts)} ({widths})"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _draw_land_use(axes: Axes, network: Network) -> None:
    cells = [Rectangle((c.x_m, c.y_m), c.width_m, c.height_m) for c in network.land_use]
    colours = [COLOURS.get(cell.kind, OTHER_COLOUR) for cell in network.land_use]
    patches = PatchCollection(cells, facecolors=colours, edgecolors="none")
    patches.set(antialiased=False, alpha=LAND_USE_ALPHA)
    axes.add_collection(patches)


def _draw_lanes(axes: Axes, network: Network, width_pt: float) -> None:
    lanes = [lane.shape for lane in network.lanes]
    turns: list[tuple[Point, Point]] = []
    sections: list[tuple[Point, Point]] = []
    junctions = {junction.id for junction in network.junctions}
    ends_at = {lane.id: edge.to_node for edge in network.edges for lane in edge.lanes}
    for connection in network.connections:
        start = network.lanes[network.lane_index[connection.from_lane]].shape[-1]
        end = network.lanes[network.lane_index[connection.to_lane]].shape[0]
        within_street = ends_at[connection.from_lane] not in junctions
        (sections if within_street else turns).append((start, end))
    for lines, share in ((turns, 0.25), (sections, 1.0), (lanes, 1.0)):
        width = max(share * width_pt, LEAST_LINE_PT)
        axes.add_collection(LineCollection(lines, colors=ROAD_COLOUR, linewidths=width))


def _legend(network: Network) -> list[Patch | Line2D]:
    cells = Counter(cell.kind for cell in network.land_use)
    total = sum(cells.values())
    handles: list[Patch | Line2D] = [
        Patch(
            facecolor=COLOURS.get(kind, OTHER_COLOUR),
            alpha=LAND_USE_ALPHA,
            label=f"{kind} ({cells[kind] / total:.0%})",
        )
        for kind in [*COLOURS, *(kind for kind in sorted(cells) if kind not in COLOURS)]
        if cells[kind]
    ]
    handles.append(Line2D([], [], color=ROAD_COLOUR, linewidth=3, label="Lane"))
    signalised = signalised_junctions(network)
    others = any(junction.id not in signalised for junction in network.junctions)
    kinds = (
        (bool(network.signals), SIGNAL_COLOUR, "Signal"),
        (others, ROAD_COLOUR, "Other junction"),
    )
    for shown, colour, label in kinds:
        if shown:
            mark = Line2D([], [], color=colour, marker="o", linestyle="none", label=label)
            handles.append(mark)
    return handles
