"""Webster's plans: the formulas by hand, flows from route files, waves of green."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import traffic_cases as cases
from controller_cases import CROSSING
from hypothesis import given
from hypothesis import strategies as st
from tree_cases import edge, network, signal

from trafficrl.config.controllers import WebsterConfig
from trafficrl.control.green_wave import Progression, green_wave_offsets, linked_offsets
from trafficrl.control.lane_flows import lane_flows, turning_flows
from trafficrl.control.plans import whole_greens
from trafficrl.control.webster import Movement, WebsterPlans, critical_ratios, webster_cycle_s
from trafficrl.demand.planned_ways import PlannedWay, planned_ways
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import ConfigError
from trafficrl.network.programs import SignalProgram


@pytest.mark.parametrize(
    ("lost_s", "ratio", "cycle_s"),
    [
        (10.0, 0.0, 40.0),  # 20 by the formula
        (10.0, 0.6, 50.0),
        (12.0, 0.75, 92.0),
        (20.0, 0.65, 100.0),
        (20.0, 0.9, 120.0),  # 350 by the formula
        (20.0, 1.0, 120.0),
        (20.0, 1.3, 120.0),
    ],
)
def test_the_cycle_of_least_delay(lost_s: float, ratio: float, cycle_s: float) -> None:
    found = webster_cycle_s(lost_s, ratio, low_s=40.0, high_s=120.0)
    assert found == pytest.approx(cycle_s)


ONE, TWO, BOTH = {0: 1.0}, {1: 1.0}, {0: 1.0, 1: 1.0}
YIELDS_FIRST = {0: 0.5, 1: 1.0}


@pytest.mark.parametrize(
    ("movements", "wanted"),
    [
        ([(0, 0.3, ONE), (1, 0.2, ONE), (2, 0.25, TWO)], [0.3, 0.25]),
        ([(0, 0.3, ONE), (0, 0.1, ONE), (2, 0.25, TWO)], [0.4, 0.25]),  # of one lane
        ([(0, 0.3, ONE), (1, 0.2, TWO), (2, 0.45, BOTH)], [0.3, 0.2]),
        ([(2, 0.7, BOTH), (0, 0.3, ONE), (1, 0.2, TWO)], [0.4, 0.3]),
        ([(0, 0.3, ONE), (1, 0.1, YIELDS_FIRST)], [0.3, 0.0]),
        ([(0, 0.3, ONE), (1, 0.25, YIELDS_FIRST)], [0.3, 0.1]),
        ([], [0.0, 0.0]),
    ],
)
def test_the_time_that_each_phase_needs(movements: list[Any], wanted: list[float]) -> None:
    found = critical_ratios([Movement(*one) for one in movements], num_phases=2)
    assert found == pytest.approx(wanted)


def test_greens_are_shared_out_in_whole_steps() -> None:
    three = signal("S", ("Grr", "rGr", "rrG"), yellow_s=3.0, all_red_s=2.0)
    assert whole_greens(three, [0.4, 0.2, 0.15], cycle_s=90, step_s=1.0) == [40, 20, 15]
    assert whole_greens(three, [1, 1, 1], cycle_s=91, step_s=1.0) == [26, 25, 25]
    assert whole_greens(three, [0.5, 0.0, 0.01], cycle_s=90, step_s=1.0) == [65, 5, 5]
    assert whole_greens(three, [0.2, 0.2, 0.1], cycle_s=40, step_s=0.5) == [10, 10, 5]


@given(
    shares=st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(any),
    spare=st.integers(0, 200),
    min_green_s=st.sampled_from([1.0, 5.0, 7.5]),
    step_s=st.sampled_from([0.5, 1.0]),
)
def test_any_greens_fill_the_cycle(
    *, shares: list[float], spare: int, min_green_s: float, step_s: float
) -> None:
    states = ["r" * i + "G" + "r" * (len(shares) - i - 1) for i in range(len(shares))]
    one = signal("S", states, yellow_s=3.0, min_green_s=min_green_s)
    least_s = -(-min_green_s // step_s) * step_s
    cycle_s = len(shares) * (least_s + 3.0) + spare * step_s
    greens_s = whole_greens(one, shares, cycle_s=cycle_s, step_s=step_s)
    assert sum(greens_s) + 3.0 * len(shares) == pytest.approx(cycle_s)
    assert min(greens_s) >= min_green_s
    for (a, one_s), (b, other_s) in pairwise(sorted(zip(shares, greens_s, strict=True))):
        assert a == b or one_s <= other_s + step_s


WEST, SOUTH, EAST, NORTH = range(4)


def test_flows_by_turn_and_lane() -> None:
    """Straight on from three lanes, right from the first alone: the others take what it cannot."""
    wide = network(
        [
            edge("in", "A", "S", 100.0, 3),
            edge("on", "S", "B", 100.0, 3),
            edge("off", "S", "C", 9.0),
        ],
        [("in_0", "off_0", "S", 0), *((f"in_{i}", f"on_{i}", "S", i + 1) for i in range(3))],
        {"S": ("GGGG", "rrrr")},
    )
    ways = [PlannedWay((0, 2), 200.0), PlannedWay((0, 1), 600.0), PlannedWay((0, 1), 100.0)]
    assert turning_flows(ways) == {(0, 2): 200, (0, 1): 700}
    flows = {(wide.lanes[lane].id, to): vph for (lane, to), vph in lane_flows(wide, ways).items()}
    assert flows == {
        ("in_0", 2): 200,
        ("in_0", 1): pytest.approx(100),
        ("in_1", 1): pytest.approx(300),
        ("in_2", 1): pytest.approx(300),
    }
    crowded = [PlannedWay((0, 2), 500.0), PlannedWay((0, 1), 600.0)]
    assert list(lane_flows(wide, crowded).values()) == pytest.approx([500, 0, 300, 300])


def demand(file: Path, trips: list[tuple[float, list[str]]], *, end_s: float = 3600.0) -> Scenario:
    rows = [
        f'<vehicle id="{i}" depart="{depart}"><route edges="{" ".join(way)}"/></vehicle>'
        for i, (depart, way) in enumerate(trips)
    ]
    file.write_text(f"<routes>{''.join(rows)}</routes>", encoding="utf-8")
    return Scenario("x", CROSSING.net_file, (file,), 0.0, end_s)


def greens(program: SignalProgram) -> list[float]:
    return [part.duration_s for part in program.phases]


def test_the_plan_of_a_crossing(tmp_path: Path) -> None:
    """By hand: 720, 270 (which may go in phase 0 as well, at half the rate) and 360 veh/h."""
    ways = [(720, ["west", "east"]), (270, ["west", "north"]), (360, ["south", "north"])]
    times = sorted((n * 3600 / vph, way) for vph, way in ways for n in range(vph))
    scenario = demand(tmp_path / "demand.rou.xml", times)
    config = WebsterConfig(peak_s=3600, start_lost_s=2.0, min_cycle_s=20.0)
    (one,) = CROSSING.signals
    crossing = replace(CROSSING, signals=(replace(one, yellow_s=3.0, all_red_s=2.0),))
    (program,) = WebsterPlans(crossing, config, step_s=1.0).programs(scenario)
    # Ratios 0.4, 0 (0.15 < 0.4 / 2), 0.2, 0; 4 phases lose 5 + 2 s: 47 s / 0.4 = 117.5 s.
    shown = greens(program)[::3]
    assert sum(shown) + 4 * 5 == 118
    assert shown == [59, 5, 29, 5]
    nobody_yields = WebsterConfig(peak_s=3600, yielding_share=0.0, max_cycle_s=400.0)
    (program,) = WebsterPlans(crossing, nobody_yields, step_s=1.0).programs(scenario)
    assert greens(program)[::3] == [87, 33, 43, 5]  # 47 s / 0.25 = 188 s


def test_plans_are_made_for_the_busiest_time(tmp_path: Path) -> None:
    """100 vehicles in the first 100 s, 100 in the rest of the hour."""
    times = [float(s) for s in range(100)] + [100.0 + 35 * s for s in range(100)]
    scenario = demand(tmp_path / "demand.rou.xml", [(t, ["west", "east"]) for t in times])
    for peak_s, vph in ((3600, 200), (100, 3600), (9999, 200), (900, 122 * 4)):
        (way,) = planned_ways(scenario, CROSSING, step_s=1.0, peak_s=peak_s)
        assert way.edges == (WEST, EAST)
        assert way.flow_vph == pytest.approx(vph, rel=0.01)


def test_ways_that_sumo_would_find_are_the_fastest(tmp_path: Path) -> None:
    city = cases.city()
    names = [street.tail for street in city.streets]
    file = tmp_path / "demand.rou.xml"
    file.write_text(
        f'<routes><trip id="a" depart="0" from="{names[0]}" to="{names[20]}"/>'
        f'<trip id="b" depart="1" from="{names[0]}" to="{names[20]}"/></routes>',
        encoding="utf-8",
    )
    scenario = Scenario("x", city.net_file, (file,), 0.0, 7200.0)
    (way,) = planned_ways(scenario, city, step_s=1.0, peak_s=9000)
    ids = [city.edges[edge].id for edge in way.edges]
    assert (ids[0], ids[-1], way.flow_vph) == (names[0], names[20], 1.0)
    joined = {
        (c.from_lane.rpartition("_")[0], c.to_lane.rpartition("_")[0]) for c in city.connections
    }
    assert all(pair in joined for pair in pairwise(ids))


def test_a_signal_that_the_longest_cycle_has_no_room_for_is_named() -> None:
    message = r"controller\.\*\.max_cycle_s 30 \[s\] is too short for signal .*: . phases need >="
    with pytest.raises(ConfigError, match=message):
        WebsterPlans(cases.city(), WebsterConfig(min_cycle_s=20, max_cycle_s=30), step_s=1.0)


def test_offsets_serve_the_heaviest_flows() -> None:
    ring = [
        Progression(0, 1, 20.0, 500.0),
        Progression(1, 2, 30.0, 400.0),
        Progression(2, 0, 5.0, 300.0),  # closes the ring: has to take what is left
        Progression(4, 3, -10.0, 100.0),
    ]
    assert linked_offsets(ring, count=5, cycle_s=40.0) == [0, 20, 10, 30, 0]
    assert linked_offsets([], count=2, cycle_s=40.0) == [0, 0]


def test_a_wave_arrives_with_green() -> None:
    """From R's second phase, 30 s after its cycle begins, 13.89 m/s over 277.8 m to S's first."""
    street = network(
        [edge("a", "A", "R", 50.0), edge("b", "R", "S", 277.8), edge("c", "S", "C", 50.0)],
        [("a_0", "b_0", "R", 0), ("b_0", "c_0", "S", 0)],
        {"R": ("r", "G"), "S": ("G", "r")},
    )
    greens_s = [[30.0, 30.0], [40.0, 20.0]]
    offsets_s = green_wave_offsets(street, [PlannedWay((0, 1, 2), 100.0)], greens_s)
    assert offsets_s == pytest.approx([0.0, 50.0])


def test_a_green_wave_has_one_cycle() -> None:
    config = WebsterConfig(green_wave=True)
    programs = WebsterPlans(cases.city(), config, step_s=1.0).programs(cases.scenario(500, 600.0))
    assert len({sum(greens(program)) for program in programs}) == 1
    assert len({program.offset_s for program in programs}) > 3
    alone = WebsterPlans(cases.city(), WebsterConfig(), step_s=1.0)
    each = alone.programs(cases.scenario(500, 600.0))
    cycles_s = [sum(greens(program)) for program in each]
    assert max(cycles_s) == sum(greens(programs[0])) > min(cycles_s)
    assert {program.offset_s for program in each} == {0.0}
