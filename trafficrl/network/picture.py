"""A picture of a network: land use, streets lane by lane, signals."""

from collections import Counter
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from trafficrl.errors import NetworkError
from trafficrl.files import replacing
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
ROAD_COLOUR = "#333333"
SIGNAL_COLOUR = "#CC3311"
LANE_WIDTH_M = 3.2
LANE_SHARE = 0.8
"""Drawn part of a lane's width, so that lanes can be told apart."""
LAND_USE_ALPHA = 0.75
SIDE_IN = 10.0
Point = tuple[float, float]
MOST_NAMED = 150
"""Junctions are named as long as their names can be read."""
MARGIN_M = 40.0


def draw_network(network: Network, file: Path) -> None:
    """Draw the network into a PNG file.

    Raises:
        NetworkError: the file cannot be written.
    """
    figure = Figure(figsize=(SIDE_IN + 2.5, SIDE_IN), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    low_x, high_x, low_y, high_y = _limits(network)
    axes.set(xlim=(low_x, high_x), ylim=(low_y, high_y), aspect="equal")
    axes.set(xlabel="x [m]", ylabel="y [m]", title=_title(network))
    _draw_land_use(axes, network)
    figure.legend(handles=_legend(network), loc="outside right upper", frameon=False)
    figure.draw_without_rendering()  # only now is the scale known
    width_in = axes.get_window_extent().width / figure.dpi
    _draw_lanes(axes, network, LANE_SHARE * LANE_WIDTH_M * 72.0 * width_in / (high_x - low_x))
    _draw_junctions(axes, network)
    _save(figure, file)


def _save(figure: Figure, file: Path) -> None:
    try:
        with replacing(file) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})
    except OSError as error:
        raise NetworkError(f"picture {file} cannot be written: {error.strerror}") from error


def _limits(network: Network) -> tuple[float, float, float, float]:
    points = [point for lane in network.lanes for point in lane.shape]
    x_m, y_m = [point[0] for point in points], [point[1] for point in points]
    return (
        min(x_m) - MARGIN_M,
        max(x_m) + MARGIN_M,
        min(y_m) - MARGIN_M,
        max(y_m) + MARGIN_M,
    )


def _title(network: Network) -> str:
    lanes = Counter(len(network.edge_by_id[street.tail].lanes) for street in network.streets)
    widths = ", ".join(f"{count} with {number} lanes" for number, count in sorted(lanes.items()))
    return (
        f"{len(network.junctions)} junctions, {len(network.signals)} signals, "
        f"{len(network.streets)} streets ({widths})"
    )


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
    for connection in network.connections:
        start = network.lanes[network.lane_index[connection.from_lane]].shape[-1]
        end = network.lanes[network.lane_index[connection.to_lane]].shape[0]
        (turns if connection.signal_id else sections).append((start, end))
    for lines, width in ((turns, 0.25 * width_pt), (sections, width_pt), (lanes, width_pt)):
        axes.add_collection(LineCollection(lines, colors=ROAD_COLOUR, linewidths=width))


def _draw_junctions(axes: Axes, network: Network) -> None:
    signals = {signal.id for signal in network.signals}
    named = len(network.junctions) <= MOST_NAMED
    size = min(9.0, 140.0 / max(len(network.junctions), 1) ** 0.5)
    for junction in network.junctions:
        colour = SIGNAL_COLOUR if junction.id in signals else ROAD_COLOUR
        place = (junction.x_m, junction.y_m)
        if not named:
            axes.plot(*place, marker="o", markersize=size / 2, color=colour)
            continue
        axes.annotate(
            junction.id,
            place,
            ha="center",
            va="center",
            fontsize=size,
            color="white",
            weight="bold",
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": colour, "edgecolor": "white"},
        )


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
    signals = {signal.id for signal in network.signals}
    kinds = ((True, SIGNAL_COLOUR, "Signal"), (False, ROAD_COLOUR, "Junction without signal"))
    for signalised, colour, label in kinds:
        if any((junction.id in signals) == signalised for junction in network.junctions):
            mark = Line2D([], [], color=colour, marker="o", linestyle="none", label=label)
            handles.append(mark)
    return handles
