"""Cheapest paths against another algorithm, and which streets can be driven to."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from demand_grid import grid_network

from trafficrl.demand.paths import CheapestPaths
from trafficrl.demand.road_graph import build_road_graph, reachable_streets
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


def test_cheapest_is_really_cheapest_for_every_pair() -> None:
    network = grid_network(3)
    graph, distance = build_road_graph(network), all_distances_m(network)
    paths = CheapestPaths(graph, graph.length_m)
    for start, origin in enumerate(graph.tails):
        for end, target in enumerate(graph.tails):
            way = paths.edges(start, end)
            length_m = sum(network.edges[edge].length_m for edge in way[1:])
            assert (way[0], way[-1]) == (origin, target)
            assert np.isclose(length_m, distance[origin, target])


def test_another_cost_gives_other_ways() -> None:
    graph = build_road_graph(grid_network(4))
    short = CheapestPaths(graph, graph.length_m)
    # Each edge costs the same: the fewest edges win, whatever their length.
    few = CheapestPaths(graph, [1.0] * len(graph.edge_ids))
    pairs = [(a, b) for a in range(len(graph.tails)) for b in range(len(graph.tails))]
    assert all(len(few.edges(a, b)) <= len(short.edges(a, b)) for a, b in pairs)
    assert any(few.edges(a, b) != short.edges(a, b) for a, b in pairs)


def test_every_step_of_a_way_is_a_connection() -> None:
    network = grid_network(4)
    graph = build_road_graph(network)
    lane_edge = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
    links = {(lane_edge[c.from_lane], lane_edge[c.to_lane]) for c in network.connections}
    way = CheapestPaths(graph, graph.length_m).edges(0, len(network.streets) - 1)
    assert len(way) > 4
    assert set(pairwise(graph.edge_ids[edge] for edge in way)) <= links


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
