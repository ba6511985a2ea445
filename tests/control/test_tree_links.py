"""Streets, heads and phase costs, on networks of each kind."""

from dataclasses import replace

import numpy as np
import pytest
import traffic_cases as cases
from tree_cases import ORIGINAL_STYLE, SINGLE_EDGES, edge, network

from trafficrl.config.tree_method import ORIGINAL, HeadGrouping, TreeMethodConfig
from trafficrl.control.tree_method.links import Head, Link, build_links
from trafficrl.control.tree_method.phase_costs import phase_costs
from trafficrl.control.tree_method.pieces import find_tails
from trafficrl.network.model import Network

CORRECTED = TreeMethodConfig()
BY_EDGE = replace(CORRECTED, heads=HeadGrouping.edges)


def by_name(of: Network, config: TreeMethodConfig) -> dict[str, Link]:
    return {of.edges[link.edge].id: link for link in build_links(of, config)}


def heads_of(of: Network, name: str, config: TreeMethodConfig) -> dict[str, list[int]]:
    """Lanes of each head of a street, and the phases that serve it at its signal."""
    heads = by_name(of, config)[name].heads
    return {
        "+".join(of.lanes[lane].id for lane in head.lanes): [phase for _, phase in head.phases]
        for head in heads
    }


def test_an_edge_for_each_movement_is_a_head() -> None:
    tails = find_tails(ORIGINAL_STYLE)
    assert {name for name, tail in tails.items() if tail == "in"} == {
        "in",
        "in_left",
        "in_straight",
        "in_slip",
    }
    assert {name for name, tail in tails.items() if tail == "right"} == {"right", "right_first"}
    assert {name for name, tail in tails.items() if tail == name} == {
        "in",
        "right",
        "ahead",
        "left",
        "side",
    }


@pytest.mark.parametrize("config", [BY_EDGE, CORRECTED])
def test_heads_where_each_movement_has_an_edge(config: TreeMethodConfig) -> None:
    assert heads_of(ORIGINAL_STYLE, "in", config) == {
        "in_left_0": [0, 1],
        "in_straight_0+in_straight_1": [0],
        "in_slip_0": [],
    }
    assert heads_of(ORIGINAL_STYLE, "side", config) == {"side_0": [2]}
    assert heads_of(ORIGINAL_STYLE, "right", config) == {}


def test_the_original_knows_no_yielding_green() -> None:
    assert heads_of(ORIGINAL_STYLE, "in", ORIGINAL)["in_left_0"] == [1]


def test_turn_lanes_of_one_edge_are_told_apart_unless_heads_are_edges() -> None:
    told_apart = {"in_0+in_1": [0], "in_2": [0, 1]}
    assert heads_of(SINGLE_EDGES, "in", CORRECTED) == told_apart
    assert heads_of(SINGLE_EDGES, "in", BY_EDGE) == {"in_0+in_1+in_2": [0, 1]}


def test_lanes_are_one_head_if_they_lead_to_the_same_in_the_same_phases() -> None:
    three = network(
        [
            edge("in", "A", "S", 200.0, 4),
            edge("on", "S", "E", 250.0, 3),
            edge("left", "S", "F", 250.0),
        ],
        [
            ("in_0", "on_0", "S", 0),
            ("in_1", "on_1", "S", 1),
            ("in_2", "on_2", "S", 1),
            ("in_3", "left_0", "S", 1),
        ],
        {"S": ("Gr", "rG")},
    )
    assert heads_of(three, "in", CORRECTED) == {"in_0": [0], "in_1+in_2": [1], "in_3": [1]}


def test_a_street_is_measured_on_its_tail_alone() -> None:
    link = by_name(ORIGINAL_STYLE, CORRECTED)["in"]
    assert (link.length_m, link.num_lanes) == (200.0, 3)
    assert link.limit_kmh == pytest.approx(50.004)


def test_streets_lead_into_each_other_through_heads_and_first_pieces() -> None:
    links = build_links(ORIGINAL_STYLE, CORRECTED)
    names = [ORIGINAL_STYLE.edges[link.edge].id for link in links]
    ahead = {names[i]: {names[j] for j in link.downstream} for i, link in enumerate(links)}
    behind = {names[i]: {names[j] for j in link.upstream} for i, link in enumerate(links)}
    assert ahead["in"] == {"right", "ahead", "left"}
    assert ahead["side"] == {"right", "ahead"}
    assert behind["right"] == {"in", "side"}
    assert ahead["right"] == behind["in"] == set()
    assert {name for name, link in zip(names, links, strict=True) if link.leads_to_signal} == {
        "in",
        "side",
    }


def test_a_way_back_and_a_longer_edge_are_no_heads() -> None:
    street = network(
        [
            edge("out", "A", "B", 100.0),
            edge("back", "B", "A", 100.0),
            edge("on", "B", "C", 150.0),
        ],
        [("out_0", "back_0"), ("out_0", "on_0")],
        {},
    )
    assert all(tail == name for name, tail in find_tails(street).items())


def test_a_first_piece_is_shorter_than_what_it_joins() -> None:
    def tails(length_m: float) -> dict[str, str]:
        joining = network(
            [
                edge("in", "A", "S", 100.0),
                edge("first", "S", "C", length_m),
                edge("side", "B", "C", 100.0),
                edge("on", "C", "D", 80.0),
            ],
            [("in_0", "first_0", "S", 0), ("first_0", "on_0"), ("side_0", "on_0")],
            {"S": ("G", "r")},
        )
        return find_tails(joining)

    assert tails(79.0) == {"in": "in", "first": "on", "side": "side", "on": "on"}
    assert tails(80.0)["first"] == "first"


def test_where_streets_meet_nothing_is_a_head() -> None:
    meeting = network(
        [edge("a", "A", "C", 100.0), edge("b", "B", "C", 100.0), edge("on", "C", "D", 50.0)],
        [("a_0", "on_0"), ("b_0", "on_0")],
        {},
    )
    assert find_tails(meeting)["on"] == "on"


def test_a_street_is_not_cut_by_a_ring_or_a_row_of_short_edges() -> None:
    row = [edge("a", "A", "B", 90.0), edge("b", "B", "C", 60.0), edge("c", "C", "D", 30.0)]
    ways = [("a_0", "b_0"), ("b_0", "c_0")]
    assert find_tails(network(row, ways, {})) == {"a": "a", "b": "a", "c": "c"}
    ring = [edge("a", "A", "B", 90.0), edge("b", "B", "C", 90.0), edge("c", "C", "A", 90.0)]
    tails = find_tails(network(ring, [*ways, ("c_0", "a_0")], {}))
    assert tails == {"a": "a", "b": "b", "c": "c"}


def test_a_generated_city_has_its_own_streets() -> None:
    city = cases.city()
    links = by_name(city, CORRECTED)
    assert set(links) == {street.tail for street in city.streets}
    tail_of = {head: street.tail for street in city.streets for head in street.heads}
    assert find_tails(city) == {s.tail: s.tail for s in city.streets} | tail_of
    for link in links.values():
        assert link.leads_to_signal
        assert all(head.phases for head in link.heads)


def test_the_lanes_of_a_city_wait_for_the_phases_that_make_them_green() -> None:
    city = cases.city()
    seen: dict[tuple[int, int], set[str]] = {}
    for link in build_links(city, CORRECTED):
        for head in link.heads:
            for phase in head.phases:
                seen.setdefault(phase, set()).update(city.lanes[lane].id for lane in head.lanes)
    expected = {
        (index, number): {
            lane
            for link, letter in enumerate(phase.state)
            if letter in "Gg"
            for lane in signal.incoming_lanes[link]
        }
        for index, signal in enumerate(city.signals)
        for number, phase in enumerate(signal.phases)
    }
    assert seen == expected


# --- costs of phases

LEFT, STRAIGHT, SLIP = np.array([0]), np.array([1, 2]), np.array([3])
HEADS = (Head(LEFT, ((0, 0), (0, 1))), Head(STRAIGHT, ((0, 0),)), Head(SLIP, ()))
STREET = Link(0, 100.0, 1, 50.0, (), (), HEADS, leads_to_signal=True)


def costs(
    vehicles: list[float], trees: dict[int, float], *, divided: bool = True
) -> list[list[float]]:
    return phase_costs(
        [STREET], trees, np.array(vehicles), num_phases=[3, 2], divide_by_phases=divided
    )


def test_a_trunk_shares_out_its_cost_by_vehicles_and_phases() -> None:
    assert costs([2, 1, 2, 5], {0: 100.0}) == [[10 + 30, 10, 0], [0, 0]]
    assert costs([2, 1, 2, 5], {0: 100.0}, divided=False) == [[20 + 30, 20, 0], [0, 0]]


def test_heads_without_vehicles_share_equally() -> None:
    assert costs([0, 0, 0, 0], {0: 90.0}) == [[15 + 30, 15, 0], [0, 0]]


def test_only_trunks_cost() -> None:
    assert costs([2, 1, 2, 5], {}) == [[0, 0, 0], [0, 0]]


def test_a_jam_at_the_border_of_the_network_is_nobodys() -> None:
    way_out = Link(0, 100.0, 1, 50.0, (), (), (), leads_to_signal=False)
    found = phase_costs([way_out], {0: 100.0}, np.zeros(1), num_phases=[2], divide_by_phases=True)
    assert found == [[0, 0]]
