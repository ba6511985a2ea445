"""Junctions on a map: which of them a signal controls, and the names that can be read.

A generated city has short names, which fit into the mark of a junction. In a network that was
imported a signal has another name than its junctions, often a long one, and may control several.
"""

from collections import defaultdict
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from trafficrl.network.model import Network

__all__ = [
    "ROAD_COLOUR",
    "SIGNAL_COLOUR",
    "draw_junctions",
    "short_name",
    "signal_places",
    "signalised_junctions",
]

ROAD_COLOUR = "#333333"
SIGNAL_COLOUR = "#CC3311"
MOST_NAMED = 150
"""Junctions are named as long as their names can be read."""
SHORT_NAME = 5
"""Letters that fit into the mark of a junction."""
LONGEST_NAME = 18
"""Letters of a signal's name beside its mark."""
BESIDE = (
    ((4, 3), "left", "bottom"),
    ((-4, 3), "right", "bottom"),
    ((4, -3), "left", "top"),
    ((-4, -3), "right", "top"),
)
"""Where a name may stand [points from the mark], and how it is aligned there."""
Point = tuple[float, float]


def draw_junctions(axes: Axes, network: Network) -> None:
    """Mark the junctions on a map whose scale is known."""
    if _can_be_named(network):
        _draw_names(axes, network)
    else:
        _draw_dots(axes, network)
        _name_signals(axes, network)


def signal_places(network: Network) -> dict[str, dict[str, Point]]:
    """Signal id -> the junctions that it controls, each with its place [m]."""
    known = {junction.id: (junction.x_m, junction.y_m) for junction in network.junctions}
    edges = {lane.id: edge for edge in network.edges for lane in edge.lanes}
    places: dict[str, dict[str, Point]] = {}
    for signal in network.signals:
        stops: dict[str, list[Point]] = defaultdict(list)
        for lane in (lane for lanes in signal.incoming_lanes for lane in lanes):
            end = network.lanes[network.lane_index[lane]].shape[-1]
            stops[edges[lane].to_node].append(end)
        places[signal.id] = {name: known.get(name, _mean(stops[name])) for name in sorted(stops)}
    return places


def _mean(points: Sequence[Point]) -> Point:
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def signalised_junctions(network: Network) -> set[str]:
    """Junctions that a signal controls."""
    return {name for junctions in signal_places(network).values() for name in junctions}


def _can_be_named(network: Network) -> bool:
    """Every junction has room for its name, which is that of its signal as well."""
    own = all(set(junctions) == {name} for name, junctions in signal_places(network).items())
    names = [junction.id for junction in network.junctions]
    return own and len(names) <= MOST_NAMED and max(map(len, names), default=0) <= SHORT_NAME


def _draw_names(axes: Axes, network: Network) -> None:
    signalised = signalised_junctions(network)
    size = min(9.0, 140.0 / max(len(network.junctions), 1) ** 0.5)
    for junction in network.junctions:
        axes.annotate(
            junction.id,
            (junction.x_m, junction.y_m),
            ha="center",
            va="center",
            fontsize=size,
            color="white",
            weight="bold",
            bbox={
                "boxstyle": "circle,pad=0.25",
                "facecolor": SIGNAL_COLOUR if junction.id in signalised else ROAD_COLOUR,
                "edgecolor": "white",
            },
        )


def _draw_dots(axes: Axes, network: Network) -> None:
    """Dots; the junctions of one signal are tied together."""
    places = signal_places(network)
    signalised = signalised_junctions(network)
    size_pt = min(6.0, max(1.5, 60.0 / max(len(network.junctions), 1) ** 0.5))
    plain = [(j.x_m, j.y_m) for j in network.junctions if j.id not in signalised]
    red = [place for junctions in places.values() for place in junctions.values()]
    centres = {name: _mean(list(junctions.values())) for name, junctions in places.items()}
    ties = [(centres[name], place) for name in places for place in places[name].values()]
    axes.add_collection(LineCollection(ties, colors=SIGNAL_COLOUR, linewidths=1.0, zorder=3))
    for points, colour, size in ((plain, ROAD_COLOUR, size_pt), (red, SIGNAL_COLOUR, 7.0)):
        x_m, y_m = [point[0] for point in points], [point[1] for point in points]
        axes.plot(
            x_m,
            y_m,
            "o",
            color=colour,
            markersize=size,
            markeredgecolor="white",
            zorder=4,
            markeredgewidth=0.5,
        )


def _name_signals(axes: Axes, network: Network) -> None:
    """Beside each signal its name, where no other name stands yet."""
    taken: list[Bbox] = []
    for name, junctions in signal_places(network).items():
        label = axes.annotate(
            short_name(name),
            _mean(list(junctions.values())),
            xytext=(0.0, 0.0),
            textcoords="offset points",
            fontsize=8.0,
            color=SIGNAL_COLOUR,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
            zorder=5,
        )
        for offset, horizontal, vertical in BESIDE:
            label.set(position=offset, ha=horizontal, va=vertical)
            box = label.get_window_extent()
            if not box.count_overlaps(taken):
                taken.append(box)
                break
        else:
            label.remove()


def short_name(name: str) -> str:
    """A name that can be read on a map: the beginning and the end of a long one."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 7]}…{name[-6:]}"
