"""What every picture of a network shares: its frame in metres, its scale, its file.

Lines on a map are as wide as what they stand for, so the scale must be known before they are
drawn: set the map up, lay the figure out, then ask for the points of a metre.
"""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trafficrl.files import replacing
from trafficrl.network.model import Network

__all__ = [
    "LANE_WIDTH_M",
    "lay_out",
    "map_limits",
    "map_size_in",
    "new_figure",
    "points_per_metre",
    "save_figure",
    "set_map",
]

LANE_WIDTH_M = 3.2
MARGIN_SHARE = 0.025
"""Free space around the network, as a share of its longer side."""
LEAST_SHARE = 0.45
"""The shorter side of a map, as a share of its longer side, is at least this."""
POINTS_PER_INCH = 72.0


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure that needs no screen."""
    figure = Figure(figsize=(width_in, height_in), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def map_size_in(network: Network, longer_in: float) -> tuple[float, float]:
    """Width and height of a map of the network whose longer side is given [in]."""
    low_x, high_x, low_y, high_y = map_limits(network)
    width_m, height_m = high_x - low_x, high_y - low_y
    longer_m = max(width_m, height_m)
    shares = (max(side / longer_m, LEAST_SHARE) for side in (width_m, height_m))
    width_in, height_in = (share * longer_in for share in shares)
    return width_in, height_in


def set_map(axes: Axes, network: Network) -> None:
    """The axes show the whole network, a metre as long in both directions."""
    low_x, high_x, low_y, high_y = map_limits(network)
    axes.set(xlim=(low_x, high_x), ylim=(low_y, high_y), aspect="equal")
    axes.set(xlabel="x [m]", ylabel="y [m]")


def lay_out(figure: Figure) -> None:
    """Everything has its place, and keeps it: what is drawn from now on fits the scale."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def points_per_metre(figure: Figure, axes: Axes) -> float:
    """Width of a line that stands for a metre; known once the figure has been laid out."""
    low, high = axes.get_xlim()
    return POINTS_PER_INCH * axes.get_window_extent().width / figure.dpi / (high - low)


def save_figure(figure: Figure, file: Path) -> None:
    """The file holds the figure as PNG, equal for equal figures.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(file) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def map_limits(network: Network) -> tuple[float, float, float, float]:
    """What a map shows: lowest and highest x, lowest and highest y [m], with a margin."""
    points = [point for lane in network.lanes for point in lane.shape]
    x_m, y_m = [point[0] for point in points], [point[1] for point in points]
    low_x, high_x, low_y, high_y = min(x_m), max(x_m), min(y_m), max(y_m)
    margin_m = MARGIN_SHARE * max(high_x - low_x, high_y - low_y) + LANE_WIDTH_M
    return low_x - margin_m, high_x + margin_m, low_y - margin_m, high_y + margin_m
