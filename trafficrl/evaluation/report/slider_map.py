"""The maps of the queues as a page draws them itself, with a slider for the time.

A page's script gets the network once, and for each scenario the queues over time; what it draws
is the mean over all time as `queue_map` has it, and each slice.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from trafficrl.evaluation.report.picture import Picture
from trafficrl.evaluation.report.queue_map import QUEUE, beside, road_lines
from trafficrl.evaluation.report.run_folder import JudgedRun
from trafficrl.evaluation.report.sections import Judged, Section
from trafficrl.evaluation.report.table import Row, TableText
from trafficrl.evaluation.report.timelines import clock_of, clock_text
from trafficrl.evaluation.tables import number
from trafficrl.network.canvas import map_limits
from trafficrl.network.model import Network

__all__ = ["MapNetwork", "SliderMap", "build_maps", "legend_ticks", "map_network"]

COLOURS = 24
DIGITS = 2
"""Of a vehicle: more cannot be seen."""
SHIFT_SHARE = 0.008
"""Of the map's width: how far the queues of the two directions of a street stand apart."""
BAR_M = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
TICK_SHARES = (0.02, 0.1, 0.3, 0.6, 1.0)
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MapNetwork:
    """What all maps of a network have in common."""

    id: str
    """Of the element that holds it in the page."""
    content: Mapping[str, Any]
    places: Mapping[str, int]
    """Edge -> index into the content's edges."""


@dataclass(frozen=True, slots=True)
class SliderMap:
    """The queues of one scenario over time, a map a controller."""

    id: str
    title: str
    help: str
    network: MapNetwork
    content: Mapping[str, Any]
    still: Picture
    """What is seen without a script."""
    table: TableText
    """The whole network's queue, for who cannot see the maps."""


def build_maps(
    section: Section, network: Network, stills: Mapping[str, Picture], name: str
) -> list[SliderMap]:
    """A map for each scenario whose queues were kept over time.

    Args:
        section: what is shown.
        network: of its runs.
        stills: scenario -> the picture that stands for its map.
        name: that tells the section from the others of a page.
    """
    scenarios = [scenario for scenario in stills if _kept(section, scenario)]
    edges = {
        edge
        for scenario in scenarios
        for one in _kept(section, scenario).values()
        for edge in (*one.queues[scenario], *one.slice_queues[scenario].edge_queue_veh)
    }
    shared = map_network(network, edges, f"network-{name}") if scenarios else None
    return [
        _map(section, scenario, shared, still=stills[scenario], id=f"queues-{name}-{index}")
        for index, scenario in enumerate(scenarios)
        if shared is not None
    ]


def map_network(network: Network, edges: Iterable[str], id: str) -> MapNetwork:
    """Roads and the shapes of some edges, in metres with y downwards."""
    low_x, high_x, low_y, high_y = map_limits(network)
    width_m, height_m = high_x - low_x, high_y - low_y
    bar_m = max((bar for bar in BAR_M if bar <= width_m / 4), default=BAR_M[0])
    below_m = 0.06 * width_m

    def path(points: Sequence[Point]) -> str:
        return "M" + "L".join(f"{x - low_x:.1f} {high_y - y:.1f}" for x, y in points)

    wanted = set(edges)
    shown = [edge for edge in network.edges if edge.id in wanted]
    shift_m = SHIFT_SHARE * width_m
    return MapNetwork(
        id,
        {
            "view": [0, 0, round(width_m, 1), round(height_m + below_m, 1)],
            "bar_m": bar_m,
            "bar_y": round(height_m + 0.6 * below_m, 1),
            "roads": "".join(map(path, road_lines(network))),
            "edges": [[edge.id, path(beside(edge.lanes[-1].shape, shift_m))] for edge in shown],
            "colours": [to_hex(QUEUE(share)) for share in np.linspace(0.0, 1.0, COLOURS)],
        },
        {edge.id: index for index, edge in enumerate(shown)},
    )


def _kept(section: Section, scenario: str) -> dict[str, Judged]:
    """The controllers whose queues over time are known, on one division of time; by label."""
    found = {
        label: section.judged[label]
        for label in section.labels
        if scenario in section.judged[label].slice_queues
    }
    lengths = [one.slice_queues[scenario].slice_s for one in found.values()]
    return {
        label: one
        for label, one in found.items()
        if one.slice_queues[scenario].slice_s == lengths[0]
    }


def _map(
    section: Section, scenario: str, network: MapNetwork, still: Picture, id: str
) -> SliderMap:
    kept = _kept(section, scenario)
    slice_s = next(iter(kept.values())).slice_queues[scenario].slice_s
    times = slice_names(section.runs[0], scenario, slice_s)
    largest = max(
        (
            veh
            for one in kept.values()
            for row in one.slice_queues[scenario].edge_queue_veh.values()
            for veh in row
        ),
        default=0.0,
    )
    totals = {label: _totals(one, scenario, len(times)) for label, one in kept.items()}
    content = {
        "slices": times,
        "whole": f"{times[0].partition(' ')[0]} to {times[-1].rpartition(' ')[2]}",
        "largest": largest or 1.0,
        "ticks": legend_ticks(largest or 1.0),
        "maps": [
            {
                "label": label,
                "totals": [round(veh, DIGITS) for veh in totals[label]],
                "edges": _edges(one, scenario, network, len(times)),
            }
            for label, one in kept.items()
        ],
    }
    rows = [
        Row(name, tuple(number(totals[label][i + 1]) for label in kept))
        for i, name in enumerate(times)
    ]
    return SliderMap(
        id=id,
        title=still.title,
        help="Vehicles that stand (below 0.1 m/s) on each edge, mean over the test seeds: over the "
        "whole episode, or in the slice of time that the slider is at. Dark, wide edges hold the "
        "queues; the scale is the same in all maps at all times and goes by the square root. "
        "Vehicles that wait to be let in are on no edge.",
        network=network,
        content=content,
        still=still,
        table=TableText(tuple(kept), tuple(rows), ()),
    )


def legend_ticks(largest: float) -> list[float]:
    """Queues that the legend shows [veh], with so few digits that their texts do not meet."""
    shown = [share * largest for share in TICK_SHARES]
    return [float(f"{veh:.{2 if veh >= 0.1 else 1}g}") for veh in shown]


def slice_names(run: JudgedRun, scenario: str, slice_s: float) -> list[str]:
    """Clock times of the slices of an episode, `8:00 to 8:15`."""
    begin_s = float(run.config["scenarios"][scenario].get("begin_s", 0.0))
    length_s = float(run.config["execution"]["end_time"])
    clock_s = clock_of(run, scenario) + begin_s
    count = max(1, math.ceil(length_s / slice_s - 1e-9))
    bounds_s = [clock_s + min(i * slice_s, length_s) for i in range(count + 1)]
    return [f"{clock_text(low)} to {clock_text(high)}" for low, high in pairwise(bounds_s)]


def _totals(one: Judged, scenario: str, count: int) -> list[float]:
    """Of the whole network [veh]: over the episode, then in each slice."""
    rows = list(one.slice_queues[scenario].edge_queue_veh.values())
    by_slice = np.sum(rows, axis=0) if rows else np.zeros(count)
    return [sum(one.queues[scenario].values()), *by_slice.tolist()]


def _edges(one: Judged, scenario: str, network: MapNetwork, count: int) -> list[list[Any]]:
    """Index of each edge, its mean, and its queue in each slice [veh]."""
    means, over_time = one.queues[scenario], one.slice_queues[scenario].edge_queue_veh
    return [
        [
            network.places[edge],
            round(means.get(edge, 0.0), DIGITS),
            [round(veh, DIGITS) or 0 for veh in over_time.get(edge, (0.0,) * count)],
        ]
        for edge in dict.fromkeys((*means, *over_time))
    ]
