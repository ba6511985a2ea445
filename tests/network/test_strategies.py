"""What each strategy releases together, judged by the junctions' places and not by our own plan."""

from collections import defaultdict
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from grid_cases import small_grid

from trafficrl.config.network import Strategy
from trafficrl.network.build import build_network
from trafficrl.network.model import Network, Street
from trafficrl.network.netxml import load_net
from trafficrl.network.phase_plans import links_by_signal
from trafficrl.network.signals import GREEN, Signal
from trafficrl.network.strategies import Movement, group_movements

FOUR_WAY = [
    Movement(approach, axis, turn)
    for approach, axis in (("n", "NS"), ("e", "EW"), ("s", "NS"), ("w", "EW"))
    for turn in ("right", "straight", "left", "u-turn")
]
PUBLISHED = {"network_seed": 24208, "grid_dimension": 6, "block_size_m": 280}
LAYOUTS: dict[str, dict[str, Any]] = {
    "realistic": {**PUBLISHED, "junctions_to_remove": 2},
    "random": {"grid_dimension": 4, "lane_count": "random", "junctions_to_remove": 3},
    "dead ends": {"junctions_to_remove": "A0,B0", "lane_count": 5},
    "one lane": {"lane_count": 1},
    "no turn lanes": {"lane_count": "0"},
}
CASES = [
    (strategy, layout)
    for strategy, layout in product(Strategy, sorted(LAYOUTS))
    if strategy is not Strategy.partial_opposites or layout not in ("one lane", "no turn lanes")
]


@pytest.fixture(
    scope="module", params=CASES, ids=[f"{strategy.name}-{layout}" for strategy, layout in CASES]
)
def planned(request: pytest.FixtureRequest, cache_dir: Path) -> tuple[Strategy, Network]:
    strategy, layout = request.param
    config = small_grid(**LAYOUTS[layout], traffic_light_strategy=strategy)
    return strategy, build_network(config, cache_dir)


def ways_of(network: Network, signal: Signal) -> list[tuple[Street, str]]:
    """For each link, the street that it leaves and SUMO's direction letter."""
    streets = {
        lane.id: street
        for street in network.streets
        for head in street.heads
        for lane in network.edge_by_id[head].lanes
    }
    ways = {
        connection.link_index: (streets[connection.from_lane], connection.direction)
        for connection in network.connections
        if connection.signal_id == signal.id
    }
    return [ways[index] for index in range(len(ways))]


def runs_north_south(network: Network, street: Street) -> bool:
    x_m = {junction.id: junction.x_m for junction in network.junctions}
    return x_m[street.from_junction] == x_m[street.to_junction]


def expected_group(strategy: Strategy, network: Network, way: tuple[Street, str]) -> object:
    street, letter = way
    if strategy is Strategy.incoming:
        return street.tail
    axis = runs_north_south(network, street)
    return axis if strategy is Strategy.opposites else (axis, letter in "lt")


def test_links_share_a_phase_as_the_strategy_means(planned: tuple[Strategy, Network]) -> None:
    strategy, network = planned
    for signal in network.signals:
        ways = ways_of(network, signal)
        groups = defaultdict(set)
        for index, way in enumerate(ways):
            groups[expected_group(strategy, network, way)].add(index)
        phases = [
            {i for i, letter in enumerate(phase.state) if letter in GREEN}
            for phase in signal.phases
        ]
        assert sorted(map(sorted, phases)) == sorted(map(sorted, groups.values()))
        assert len(phases) > 1


def test_links_that_cross_are_never_both_protected(planned: tuple[Strategy, Network]) -> None:
    strategy, network = planned
    links = links_by_signal(load_net(network.net_file))
    shared = 0
    for signal in network.signals:
        for a, b in combinations(range(len(links[signal.id])), 2):
            one, other = links[signal.id][a], links[signal.id][b]
            if one.crosses(other) or other.crosses(one):
                for phase in signal.phases:
                    letters = phase.state[a] + phase.state[b]
                    assert letters != "GG"
                    shared += letters in ("Gg", "gG", "gg")
    if strategy is Strategy.opposites:
        assert shared > 0


def test_lefts_of_opposites_yield_to_the_oncoming_stream(cache_dir: Path) -> None:
    for lane_count in (0, 1, 2, 3):
        config = small_grid(lane_count=lane_count, traffic_light_strategy=Strategy.opposites)
        network = build_network(config, cache_dir)
        (centre,) = (signal for signal in network.signals if signal.id == "B1")
        ways = ways_of(network, centre)
        for phase in centre.phases:
            letters = defaultdict(set)
            for (_, direction), letter in zip(ways, phase.state, strict=True):
                letters[direction].add(letter)
            assert letters["s"] == {"G", "r"}
            assert letters["r"] == {"G", "r"}
            assert letters["l"] == {"g", "r"}
            if lane_count <= 1:
                # With more lanes who turns back has one that nobody else enters.
                assert letters["t"] == {"g", "r"}


def test_phases_of_incoming_have_no_one_to_yield_to(cache_dir: Path) -> None:
    config = small_grid(lane_count=2, traffic_light_strategy=Strategy.incoming)
    for signal in build_network(config, cache_dir).signals:
        assert "g" not in "".join(phase.state for phase in signal.phases)


def test_no_lane_waits_for_two_phases(planned: tuple[Strategy, Network]) -> None:
    # Who stands first would block whoever is green behind.
    _, network = planned
    for signal in network.signals:
        greens_of_lane = defaultdict(set)
        for link, lanes in enumerate(signal.incoming_lanes):
            greens = tuple(phase.state[link] in GREEN for phase in signal.phases)
            for lane in lanes:
                greens_of_lane[lane].add(greens)
        assert {len(greens) for greens in greens_of_lane.values()} == {1}


@pytest.mark.parametrize(
    ("strategy", "names"),
    [
        (
            Strategy.partial_opposites,
            ["NS straight+right", "NS left+u-turn", "EW straight+right", "EW left+u-turn"],
        ),
        (Strategy.opposites, ["NS straight+right+left+u-turn", "EW straight+right+left+u-turn"]),
        (Strategy.incoming, ["n", "e", "s", "w"]),
    ],
)
def test_phases_of_a_four_way_junction(strategy: Strategy, names: list[str]) -> None:
    groups = group_movements(FOUR_WAY, strategy)
    assert [name for name, _ in groups] == names
    assert sorted(i for _, members in groups for i in members) == list(range(16))


def test_what_has_one_phase_has_no_signal(cache_dir: Path) -> None:
    # B0 lies between two streets on one line: they never have to wait for each other.
    line = {"grid_dimension": 3, "junctions_to_remove": "A1,B1,C1,A2,B2,C2", "lane_count": 2}
    signals = {}
    for strategy in Strategy:
        config = small_grid(**line, traffic_light_strategy=strategy)
        signals[strategy] = [signal.id for signal in build_network(config, cache_dir).signals]
    assert signals == {
        Strategy.partial_opposites: ["B0"],
        Strategy.opposites: [],
        Strategy.incoming: ["B0"],
    }
