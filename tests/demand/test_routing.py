"""Shortest paths against another algorithm, reachability, and the table of strategies."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from demand_grid import grid_network

from trafficrl.config.scenarios import ROUTING_STRATEGIES
from trafficrl.demand.routing import (
    WAYS,
    ShortestPaths,
    build_road_graph,
    reachable_streets,
)
from trafficrl.network.model import Network


def all_distances_m(network: Network) -> np.ndarray:
    """Floyd 1962 over edges: length driven from the end of the row's to the end of the column's."""
    index = {edge.id: i for i, edge in enumerate(network.edges)}
    lane_edge = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
    distance = np.full((len(index), len(index)), np.inf)
    np.fill_diagonal(distance, 0.0)
    for link in network.connections:
        a, b = index[lane_edge[link.from_lane]], index[lane_edge[link.to_lane]]
        distance[a, b] = min(distance[a, b], network.edges[b].length_m)
    for middle in range(len(index)):
        distance = np.minimum(distance, distance[:, middle, None] + distance[None, middle, :])
    return distance


def test_shortest_is_really_shortest_for_every_pair() -> None:
    network = grid_network(3)
    distance, paths = all_distances_m(network), ShortestPaths(build_road_graph(network))
    index = {edge.id: i for i, edge in enumerate(network.edges)}
    for start, a in enumerate(network.streets):
        for end, b in enumerate(network.streets):
            way = paths.edges(start, end)
            length_m = sum(network.edge_by_id[edge].length_m for edge in way[1:])
            assert (way[0], way[-1]) == (a.tail, b.tail)
            assert np.isclose(length_m, distance[index[a.tail], index[b.tail]])


def test_every_step_of_a_way_is_a_connection() -> None:
    network = grid_network(4)
    lane_edge = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
    links = {(lane_edge[c.from_lane], lane_edge[c.to_lane]) for c in network.connections}
    way = ShortestPaths(build_road_graph(network)).edges(0, len(network.streets) - 1)
    assert len(way) > 4
    assert set(pairwise(way)) <= links


def test_reachable_agrees_with_the_distances() -> None:
    network = grid_network(3)
    # Cutting links at random leaves some streets that lead nowhere and some that nothing reaches.
    kept = np.random.default_rng(3).random(len(network.connections)) < 0.6
    torn = replace(
        network,
        connections=tuple(c for c, keep in zip(network.connections, kept, strict=True) if keep),
    )
    tails = [i for i, edge in enumerate(torn.edges) if not edge.id.endswith("_H")]
    finite = np.isfinite(all_distances_m(torn)[np.ix_(tails, tails)])
    assert 0 < finite.sum() < finite.size
    assert (reachable_streets(build_road_graph(torn)) == finite).all()


def test_realtime_names_only_the_ends_and_is_rerouted() -> None:
    network = grid_network(3)
    way = WAYS["realtime"](ShortestPaths(build_road_graph(network)), 0, 5)
    assert way.edges.split() == [network.streets[0].tail, network.streets[5].tail]
    assert way.rerouted


def test_every_strategy_of_the_configuration_is_in_the_table() -> None:
    assert tuple(WAYS) == ROUTING_STRATEGIES
