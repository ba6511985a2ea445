from collections import Counter
from pathlib import Path

import pytest
from grid_cases import small_grid

from trafficrl.config.network import SignalsConfig, Strategy
from trafficrl.errors import ConfigError, NetworkError
from trafficrl.network.build import build_network
from trafficrl.network.model import Connection, Edge, Lane, Network
from trafficrl.network.netxml import ParsedNet, load_net
from trafficrl.network.phase_plans import (
    SignalLink,
    build_program,
    build_signal,
    green_durations,
    links_by_signal,
)
from trafficrl.network.right_of_way import Request
from trafficrl.network.signals import GREEN
from trafficrl.network.strategies import Movement


def link(axis: str, movement: str, *, index: int, foes: int = 0, response: int = 0) -> SignalLink:
    request = Request("J", index, foes, response)
    way = Movement(axis, axis, movement)
    return SignalLink((f"in_{index}",), (f"out_{index}",), way, (request,))


def state_of(links: list[SignalLink]) -> list[str]:
    config = SignalsConfig()
    signal = build_signal("J", links, Strategy.partial_opposites, config=config, step_s=1.0)
    return [phase.state for phase in signal.phases]


def test_published_city_has_the_published_signals(realistic: Network) -> None:
    assert Counter(len(signal.phases) for signal in realistic.signals) == {4: 28, 3: 6}


def test_phases_are_named_for_what_they_release(realistic: Network) -> None:
    names = {signal.id: [phase.name for phase in signal.phases] for signal in realistic.signals}
    assert names["C1"] == [
        "NS straight+right",
        "NS left+u-turn",
        "EW straight+right",
        "EW left+u-turn",
    ]
    assert names["A0"] == ["NS left+u-turn", "EW right", "EW u-turn"]


def test_phases_release_what_their_names_say(realistic: Network) -> None:
    turns = {"s": "straight", "r": "right", "l": "left", "t": "u-turn"}
    axes = {signal.id: signal for signal in realistic.signals}
    checked = 0
    for connection in realistic.connections:
        if connection.signal_id is None:
            continue
        tail = connection.from_lane.split("_")[0]
        # A street between two junctions of one column runs north or south.
        axis = "NS" if tail[0] == tail[2] else "EW"
        for phase in axes[connection.signal_id].phases:
            green = phase.state[connection.link_index] in GREEN
            named = phase.name.startswith(axis) and turns[connection.direction] in phase.name
            assert green == named
            checked += 1
    assert checked > 1000


def test_every_link_is_green_in_one_phase(city: Network) -> None:
    for signal in city.signals:
        for letters in zip(*(phase.state for phase in signal.phases), strict=True):
            assert sum(letter in GREEN for letter in letters) == 1


def test_ways_that_cross_are_never_both_protected(city: Network) -> None:
    net = load_net(city.net_file)
    links = links_by_signal(net)
    meetings = 0
    for signal in city.signals:
        for a, one in enumerate(links[signal.id]):
            for b, other in enumerate(links[signal.id]):
                if a < b and (one.crosses(other) or other.crosses(one)):
                    meetings += 1
                    states = [phase.state for phase in signal.phases]
                    assert not any(state[a] == "G" == state[b] for state in states)
    assert meetings or len(city.signals) == 0


def test_who_must_wait_gets_the_yielding_green() -> None:
    # Straight and right meet in one lane, and the right turn has to wait.
    straight = link("NS", "straight", index=0, foes=0b10)
    right = link("NS", "right", index=1, foes=0b01, response=0b01)
    assert state_of([straight, right]) == ["Gg"]
    assert state_of([right, straight]) == ["gG"]


def test_one_yields_where_the_net_names_nobody() -> None:
    links = [link("NS", "left", index=i, foes=0b11) for i in range(2)]
    assert state_of(links) == ["Gg"]


def test_links_of_different_junctions_do_not_meet() -> None:
    way = Movement("in", "NS", "left")
    one = SignalLink(("a",), ("b",), way, (Request("J", 0, 0b10, 0b10),))
    other = SignalLink(("c",), ("d",), way, (Request("K", 1, 0b01, 0b01),))
    assert state_of([one, other]) == ["GG"]


def test_empty_phases_are_dropped() -> None:
    assert state_of([link("EW", "left", index=0), link("NS", "straight", index=1)]) == ["rG", "Gr"]


@pytest.mark.parametrize(
    ("num_phases", "changes", "step_s", "greens"),
    [
        (4, {}, 1.0, [18.0, 18.0, 17.0, 17.0]),
        (4, {}, 0.5, [17.5] * 4),
        (3, {}, 1.0, [25.0] * 3),
        (4, {"yellow_s": 0.0, "all_red_s": 0.0}, 1.0, [23.0, 23.0, 22.0, 22.0]),
        (2, {"cycle_s": 20.0}, 1.0, [5.0, 5.0]),
    ],
)
def test_greens_fill_the_cycle(
    num_phases: int, changes: dict[str, float], step_s: float, greens: list[float]
) -> None:
    config = SignalsConfig(**changes)
    found = green_durations(num_phases, config, step_s=step_s)
    assert found == greens
    clearance_s = num_phases * (config.yellow_s + config.all_red_s)
    assert sum(found) + clearance_s == config.cycle_s


def test_a_cycle_too_short_is_told_with_its_numbers() -> None:
    with pytest.raises(ConfigError) as caught:
        green_durations(4, SignalsConfig(cycle_s=39), step_s=1.0)
    told = str(caught.value)
    assert told.startswith("network.signals.cycle_s 39 [s] leaves 4 s of green")
    assert "4 phases" in told
    assert "min_green_s 5" in told


def test_a_cycle_shorter_than_its_clearance_is_refused() -> None:
    with pytest.raises(ConfigError, match="cycle_s 15"):
        green_durations(4, SignalsConfig(cycle_s=15), step_s=1.0)


def test_sumo_runs_the_plan_with_clearance(city: Network) -> None:
    programs = load_net(city.net_file).programs
    assert set(programs) == {signal.id for signal in city.signals}
    for signal in city.signals:
        program = programs[signal.id]
        assert program == build_program(signal)
        assert sum(part.duration_s for part in program) == signal.cycle_s == 90.0
        names = [part.name for part in program]
        assert names[1::3] == ["yellow"] * len(signal.phases)
        assert names[2::3] == ["all-red"] * len(signal.phases)


def test_no_green_turns_red_without_yellow(city: Network) -> None:
    for program in load_net(city.net_file).programs.values():
        for now, then in zip(program, [*program[1:], program[0]], strict=True):
            pairs = list(zip(now.state, then.state, strict=True))
            assert not any(a in GREEN and b == "r" for a, b in pairs)
            assert not any(a == "y" and b in GREEN for a, b in pairs)


def test_without_clearance_only_greens_are_written() -> None:
    links = [link("NS", "straight", index=0), link("EW", "straight", index=1)]
    config = SignalsConfig(yellow_s=0.0, all_red_s=0.0)
    signal = build_signal("J", links, Strategy.partial_opposites, config=config, step_s=1.0)
    program = build_program(signal)
    assert [(part.state, part.duration_s) for part in program] == [("Gr", 45.0), ("rG", 45.0)]


def test_orientation_comes_from_geometry_not_from_ids() -> None:
    east = Lane("n_0", 10.0, 13.89, ((0.0, 0.0), (0.0, 50.0), (50.0, 51.0)))
    out = Lane("out_0", 10.0, 13.89, ((60.0, 0.0), (90.0, 0.0)))
    net = parsed([Edge("n", "a", "J", (east,)), Edge("out", "J", "b", (out,))], direction="s")
    assert links_by_signal(net)["J"][0].movement.axis == "EW"


def test_an_unknown_turn_is_told() -> None:
    lane = Lane("n_0", 10.0, 13.89, ((0.0, 0.0), (50.0, 0.0)))
    net = parsed([Edge("n", "a", "J", (lane,))], direction="invalid")
    with pytest.raises(NetworkError, match="n_0 has no direction"):
        links_by_signal(net)


def parsed(edges: list[Edge], *, direction: str) -> ParsedNet:
    connection = Connection("n_0", "out_0", direction, "J", 0)
    return ParsedNet((), tuple(edges), (connection,), {connection: Request("J", 0, 0, 0)}, {})


def test_a_city_with_too_short_a_cycle_is_refused(cache_dir: Path) -> None:
    config = small_grid(signals=SignalsConfig(cycle_s=30))
    with pytest.raises(ConfigError, match="4 phases"):
        build_network(config, cache_dir)
