"""Pairs of streets: pools, weights, what may be drawn, and what is said when nothing can."""

from dataclasses import replace

import numpy as np
import pytest
from demand_grid import grid_network

from trafficrl.config.scenarios import ROUTE_PATTERNS
from trafficrl.demand.origins_destinations import (
    POOLS,
    StreetPairs,
    build_street_pairs,
    check_patterns,
    generate_pairs,
)
from trafficrl.demand.road_graph import build_road_graph
from trafficrl.errors import DemandError
from trafficrl.network.model import DAY_PHASES, Network
from trafficrl.runs.seeding import stream

MORNING, EVENING = DAY_PHASES.index("morning"), DAY_PHASES.index("evening")


def pairs_of(network: Network) -> StreetPairs:
    return build_street_pairs(network, build_road_graph(network))


def draw(pairs: StreetPairs, pattern: str, phase: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    return generate_pairs(
        pairs,
        np.full(count, ROUTE_PATTERNS.index(pattern)),
        np.full(count, phase),
        stream(5, "test"),
    )


def test_every_pattern_of_the_configuration_has_its_pools() -> None:
    assert tuple(POOLS) == ROUTE_PATTERNS


@pytest.mark.parametrize("pattern", ROUTE_PATTERNS)
def test_trips_start_and_end_in_the_pools_of_their_pattern(pattern: str) -> None:
    network = grid_network(4)
    start, end = draw(pairs_of(network), pattern, MORNING, 3000)
    pool = np.array(["boundary" if s.boundary else "inner" for s in network.streets])
    assert set(pool[start]) == {POOLS[pattern][0]}
    assert set(pool[end]) == {POOLS[pattern][1]}


def test_no_trip_goes_straight_back_home() -> None:
    network = grid_network(4)
    start, end = draw(pairs_of(network), "inner", MORNING, 5000)
    for origin, destination in set(zip(start.tolist(), end.tolist(), strict=True)):
        assert origin != destination
        assert network.streets[origin].from_junction != network.streets[destination].to_junction


@pytest.mark.parametrize("phase", [MORNING, EVENING])
def test_pairs_are_as_frequent_as_drawing_until_a_pair_is_allowed(phase: int) -> None:
    network = grid_network(4)
    pairs = pairs_of(network)
    wanted = np.outer(
        [0 if s.boundary else s.depart_weight[phase] for s in network.streets],
        [0 if s.boundary else s.arrive_weight[phase] for s in network.streets],
    )
    for i, a in enumerate(network.streets):
        for j, b in enumerate(network.streets):
            if a == b or a.from_junction == b.to_junction:
                wanted[i, j] = 0
    start, end = draw(pairs, "inner", phase, 200_000)
    seen = np.zeros_like(wanted)
    np.add.at(seen, (start, end), 1)
    expected = wanted / wanted.sum() * 200_000
    assert not seen[expected == 0].any()
    chi_square = ((seen - expected) ** 2 / np.where(expected > 0, expected, 1)).sum()
    degrees = int((expected > 0).sum()) - 1
    assert abs(chi_square - degrees) < 5 * np.sqrt(2 * degrees)


def test_streets_on_the_border_draw_evenly() -> None:
    network = grid_network(4)
    start, _ = draw(pairs_of(network), "in", MORNING, 24_000)
    border = [i for i, street in enumerate(network.streets) if street.boundary]
    counts = np.bincount(start, minlength=len(network.streets))[border]
    # Uniform but for the few pairs that would lead straight home: within a tenth or so.
    assert counts.min() > 0.8 * counts.mean()


def test_streets_that_cannot_be_reached_are_never_drawn() -> None:
    network = grid_network(4)
    island = next(street for street in network.streets if not street.boundary)
    into = [link for link in network.connections if not link.to_lane.startswith(f"{island.tail}_0")]
    cut_off = replace(network, connections=tuple(into))
    _, end = draw(pairs_of(cut_off), "inner", MORNING, 5000)
    assert network.streets.index(island) not in set(end.tolist())
    assert len(end) == 5000


def test_a_network_without_inner_streets_is_named_with_the_pattern() -> None:
    with pytest.raises(
        DemandError,
        match=r"'in' finds no pair of streets \(boundary to inner\) in the morning: "
        r"the network has 8 boundary and 0 inner streets",
    ) as caught:
        check_patterns(pairs_of(grid_network(2)), {"in": 1.0, "pass": 99.0}, np.array([MORNING]))
    assert "\n" not in str(caught.value)


def test_a_pattern_without_a_share_asks_for_nothing() -> None:
    check_patterns(pairs_of(grid_network(2)), {"in": 0.0, "pass": 100.0}, np.array([MORNING]))
