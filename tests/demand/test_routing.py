"""How vehicles set out, strategy by strategy, on a network whose streets differ in speed."""

from dataclasses import replace

import numpy as np
import pytest
from demand_grid import grid_network

from trafficrl.config.scenarios import ROUTING_STRATEGIES
from trafficrl.demand.road_graph import build_road_graph
from trafficrl.demand.routing import WAYS, RoadMap, Trip, Way
from trafficrl.demand.vehicle_types import REROUTING
from trafficrl.network.model import DAY_PHASES, Edge, Network

MORNING = DAY_PHASES.index("morning")
PAIRS = [(start, end) for start in range(48) for end in range(48) if start != end]


def at_speed(edge: Edge, speed_mps: float) -> Edge:
    return replace(edge, lanes=tuple(replace(lane, speed_mps=speed_mps) for lane in edge.lanes))


def uneven_network() -> Network:
    """A grid of 48 streets, every third of which lets vehicles go at walking pace only."""
    network = grid_network(4)
    speeds = [3.0 if i // 2 % 3 == 0 else 13.89 for i in range(len(network.edges))]
    edges = tuple(at_speed(e, speed) for e, speed in zip(network.edges, speeds, strict=True))
    return replace(network, edges=edges)


NETWORK = uneven_network()
ROADS = RoadMap(NETWORK, build_road_graph(NETWORK))


def way(strategy: str, start: int, end: int, phase: int = MORNING) -> Way:
    return WAYS[strategy](ROADS, Trip(start, end, phase))


def length_m(edges: tuple[int, ...]) -> float:
    return sum(NETWORK.edges[edge].length_m for edge in edges)


def time_s(edges: tuple[int, ...]) -> float:
    return sum(NETWORK.edges[edge].length_m / NETWORK.edges[edge].speed_mps for edge in edges)


def attraction(edges: tuple[int, ...], phase: int) -> float:
    """The published score, from the streets themselves."""
    arrive = {street.tail: street.arrive_weight[phase] for street in NETWORK.streets}
    ids = [NETWORK.edges[edge].id for edge in edges]
    mean = np.mean([arrive[name] for name in ids if name in arrive])
    return float(0.7 / (1 + length_m(edges) / 1000) + 0.3 * mean / 10)


def test_every_strategy_of_the_configuration_is_in_the_table() -> None:
    assert tuple(WAYS) == ROUTING_STRATEGIES
    assert set(REROUTING) == set(WAYS) - {"shortest"}


def test_shortest_is_shorter_and_fastest_is_faster() -> None:
    short = [way("shortest", *pair).edges for pair in PAIRS]
    fast = [way("fastest", *pair).edges for pair in PAIRS]
    assert all(length_m(a) <= length_m(b) + 1e-9 for a, b in zip(short, fast, strict=True))
    assert all(time_s(b) <= time_s(a) + 1e-9 for a, b in zip(short, fast, strict=True))
    assert sum(a != b for a, b in zip(short, fast, strict=True)) > 100


def test_speeds_that_no_car_can_drive_make_no_way_faster() -> None:
    network = grid_network(4)
    edges = tuple(at_speed(e, 50.0 if i % 5 else 13.9) for i, e in enumerate(network.edges))
    roads = RoadMap(network, build_road_graph(replace(network, edges=edges)))
    assert all(
        WAYS["fastest"](roads, Trip(*pair, 0)) == WAYS["shortest"](roads, Trip(*pair, 0))
        for pair in PAIRS
    )


@pytest.mark.parametrize("phase", range(len(DAY_PHASES)))
def test_attractiveness_takes_the_better_of_two_ways(phase: int) -> None:
    taken = set()
    for pair in PAIRS:
        short, fast = way("shortest", *pair).edges, way("fastest", *pair).edges
        chosen = way("attractiveness", *pair, phase).edges
        assert chosen in (short, fast)
        assert attraction(chosen, phase) == pytest.approx(
            max(attraction(short, phase), attraction(fast, phase))
        )
        if short != fast:
            taken.add(chosen == short)
    # Equal weights leave the length to decide; otherwise each of the two is better somewhere.
    weights = {street.arrive_weight[phase] for street in NETWORK.streets}
    assert taken == ({True} if len(weights) == 1 else {True, False})


def test_attractiveness_follows_the_day_phase() -> None:
    evening = DAY_PHASES.index("evening")
    ways = [(way("attractiveness", *p), way("attractiveness", *p, evening)) for p in PAIRS]
    assert any(morning != later for morning, later in ways)


def test_realtime_names_only_the_ends() -> None:
    found = way("realtime", 0, 5)
    assert [NETWORK.edges[edge].id for edge in found.edges] == (
        [NETWORK.streets[0].tail, NETWORK.streets[5].tail]
    )
    assert not found.whole
    assert all(way(name, 0, 5).whole for name in WAYS if name != "realtime")
