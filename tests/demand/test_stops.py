"""Stops of public transport: even, clear of junctions, on lanes that a bus can drive on."""

from dataclasses import replace

import numpy as np
import pytest
from demand_grid import grid_network
from hypothesis import given
from hypothesis import strategies as st

from trafficrl.demand.paths import CheapestPaths
from trafficrl.demand.road_graph import build_road_graph
from trafficrl.demand.stops import Stop, StopPlanner
from trafficrl.network.model import Network

NETWORK = grid_network(6)
GRAPH = build_road_graph(NETWORK)
PATHS = CheapestPaths(GRAPH, GRAPH.length_m)
NUM_STREETS = len(NETWORK.streets)


def places_m(network: Network, edges: tuple[int, ...], stops: list[Stop]) -> list[float]:
    """How far the front of a bus at each stop is from the beginning of the way [m]."""
    lengths = [network.edges[edge].length_m for edge in edges]
    offset = dict(zip(edges, np.cumsum([0.0, *lengths[:-1]]), strict=True))
    edge_of = {lane.id: i for i in edges for lane in network.edges[i].lanes}
    return [offset[edge_of[stop.lane]] + stop.end_m for stop in stops]


@given(
    start=st.integers(0, NUM_STREETS - 1),
    end=st.integers(0, NUM_STREETS - 1),
    spacing_m=st.floats(100, 900),
)
def test_stops_are_even_and_clear_of_junctions(start: int, end: int, spacing_m: float) -> None:
    edges = PATHS.edges(start, end)
    stops = StopPlanner(NETWORK, spacing_m).plan(edges)
    length_m = sum(NETWORK.edges[edge].length_m for edge in edges)
    lanes = {lane.id: lane for edge in NETWORK.edges for lane in edge.lanes}
    tails = {street.tail for street in NETWORK.streets}
    for stop in stops:
        assert stop.lane.removesuffix("_0") in tails
        assert stop.end_m - stop.start_m == pytest.approx(10)
        assert stop.start_m >= 10
        assert stop.end_m <= lanes[stop.lane].length_m - 30 + 1e-9
    places = [0.0, *places_m(NETWORK, edges, stops)]
    assert len(stops) <= length_m / spacing_m
    # The places of the grid lie 50 to 120 m apart: no stop moves more than 60 m.
    gaps = np.diff(places)
    assert (gaps >= spacing_m / 2).all()
    if spacing_m >= 250:
        assert len(stops) >= int(length_m // spacing_m) - 1
        assert (np.abs(gaps - spacing_m) < 120).all()


def test_no_spacing_means_no_stop() -> None:
    assert StopPlanner(NETWORK, 0).plan(PATHS.edges(0, NUM_STREETS - 1)) == []


def test_a_way_shorter_than_the_spacing_has_no_stop() -> None:
    assert StopPlanner(NETWORK, 5000).plan(PATHS.edges(0, NUM_STREETS - 1)) == []


def test_short_streets_have_no_room() -> None:
    short = tuple(
        replace(e, lanes=tuple(replace(lane, length_m=49.0) for lane in e.lanes))
        for e in NETWORK.edges
    )
    planner = StopPlanner(replace(NETWORK, edges=short), 100)
    assert planner.plan(PATHS.edges(0, NUM_STREETS - 1)) == []


def test_a_lane_that_leads_nowhere_is_no_kerb() -> None:
    footpaths = tuple(
        link
        for link in NETWORK.connections
        if not link.from_lane.endswith("_0") or link.from_lane.endswith("_H_0")
    )
    onto_the_road = tuple(
        replace(link, to_lane=link.to_lane.removesuffix("_0") + "_1")
        if not link.to_lane.endswith("_H_0")
        else link
        for link in footpaths
    )
    network = replace(NETWORK, connections=onto_the_road)
    stops = StopPlanner(network, 300).plan(PATHS.edges(0, NUM_STREETS - 1))
    assert stops
    assert all(stop.lane.endswith("_1") for stop in stops)
