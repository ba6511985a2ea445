import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import sumo
from grid_cases import small_grid, stop_line

from trafficrl.network.build import build_network
from trafficrl.network.model import DAY_PHASES, Network

SUMO = Path(sumo.SUMO_HOME) / "bin" / "sumo"


def turns_into(network: Network) -> dict[str, set[str]]:
    """Lane -> directions that enter it."""
    found = defaultdict(set)
    for connection in network.connections:
        found[connection.to_lane].add(connection.direction)
    return found


def test_the_published_city(realistic: Network) -> None:
    assert len(realistic.junctions) == len(realistic.signals) == 34
    assert len(realistic.streets) == 108
    assert sum(street.boundary for street in realistic.streets) == 36
    assert Counter(len(street.heads) for street in realistic.streets).keys() == {1, 2, 3}
    assert len(realistic.edges) == sum(1 + len(street.heads) for street in realistic.streets)
    assert len(realistic.land_use) == 3136
    assert {lane.speed_mps for lane in realistic.lanes} == {13.89}
    tails = [realistic.edge_by_id[street.tail] for street in realistic.streets]
    heads = [realistic.edge_by_id[h] for street in realistic.streets for h in street.heads]
    assert all(165 < tail.length_m < 190 for tail in tails)
    assert all(60 < head.length_m < 80 for head in heads)
    assert Counter(len(tail.lanes) for tail in tails).keys() == {2, 3}


def test_no_lane_waits_for_two_phases(realistic: Network) -> None:
    # Who stands first would block whoever is green behind: the city then locks up under load.
    phases_of_lane: dict[str, set[str]] = {}
    for signal in realistic.signals:
        for link, lanes in enumerate(signal.incoming_lanes):
            green = "".join(str(i) for i, p in enumerate(signal.phases) if p.state[link] in "Gg")
            for lane in lanes:
                phases_of_lane.setdefault(lane, set()).add(green)
    assert {lane for lane, greens in phases_of_lane.items() if len(greens) > 1} == set()


def test_weights_of_streets_are_whole_numbers_for_each_day_phase(realistic: Network) -> None:
    for street in realistic.streets:
        for weights in (street.depart_weight, street.arrive_weight):
            assert len(weights) == len(DAY_PHASES)
            assert all(1 <= weight <= 20 and weight == int(weight) for weight in weights)
    assert len({street.depart_weight for street in realistic.streets}) > 20


def test_streets_chain_into_edges(city: Network) -> None:
    for street in city.streets:
        tail = city.edge_by_id[street.tail]
        assert tail.from_node == street.from_junction
        for head in (city.edge_by_id[name] for name in street.heads):
            assert tail.to_node == head.from_node
            assert head.to_node == street.to_junction


def test_every_lane_is_fed_and_leads_on(city: Network) -> None:
    lanes = {lane.id for lane in city.lanes}
    assert {connection.to_lane for connection in city.connections} == lanes
    assert {connection.from_lane for connection in city.connections} == lanes


def test_turns_arrive_by_position(realistic: Network) -> None:
    entered = turns_into(realistic)
    full = 0
    for street in realistic.streets:
        lanes = [entered[lane.id] for lane in realistic.edge_by_id[street.tail].lanes]
        if set.union(*lanes) != {"r", "s", "l", "t"}:
            continue
        full += 1
        assert "r" in lanes[0]
        assert "r" not in lanes[-1]
        assert {"l", "t"} <= lanes[-1]
        assert not {"l", "t"} & lanes[0]
        if len(lanes) == 3:
            assert "s" in lanes[1]
    assert full > 40


def test_no_two_movements_of_an_approach_cross(city: Network) -> None:
    places = {
        lane.id: (street.tail, place)
        for street in city.streets
        for place, lane in enumerate(stop_line(city, street))
    }
    by_street = defaultdict(list)
    for connection in city.connections:
        if connection.from_lane in places:
            name, place = places[connection.from_lane]
            by_street[name].append((place, connection.direction))
    assert by_street.keys() == {street.tail for street in city.streets}
    for movements in by_street.values():
        order = ["rslt".index(letter) for _, letter in sorted(movements, key=lambda m: m[0])]
        by_lane = sorted((lane, "rslt".index(letter)) for lane, letter in movements)
        assert [turn for _, turn in by_lane] == sorted(order)


@pytest.mark.parametrize("index", range(4))
def test_dead_ends_have_no_signal(cache_dir: Path, index: int) -> None:
    removed = ("A0,B0", "A2,B2", "C2,C1", "A2,B1,B2")[index]
    network = build_network(small_grid(junctions_to_remove=removed), cache_dir)
    leaving = Counter(street.from_junction for street in network.streets)
    assert {signal.id for signal in network.signals} == {j for j, n in leaving.items() if n > 1}
    for name in (junction for junction, count in leaving.items() if count == 1):
        (street,) = (street for street in network.streets if street.to_junction == name)
        (head,) = street.heads
        assert len(network.edge_by_id[head].lanes) == 1


def test_sumo_loads_the_network_without_a_word(city: Network) -> None:
    command: list[str | Path] = [SUMO, "-n", city.net_file]
    command += ["--no-warnings", "false", "--end", "100", "--no-step-log"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert done.stderr == ""
