"""Trips: counts, shares, the independence of the two seeds, and even headways."""

from collections import Counter
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from demand_grid import grid_network
from hypothesis import given, settings
from hypothesis import strategies as st

from trafficrl.config.scenarios import (
    ROUTE_PATTERNS,
    ROUTING_STRATEGIES,
    VEHICLE_TYPES,
    GeneratedScenarioConfig,
)
from trafficrl.demand.origins_destinations import build_street_pairs
from trafficrl.demand.road_graph import build_road_graph
from trafficrl.demand.scenario import DemandSeeds
from trafficrl.demand.trips import Trips, generate_trips
from trafficrl.network.model import DAY_PHASES

NETWORK = grid_network(5)
PAIRS = build_street_pairs(NETWORK, build_road_graph(NETWORK))


def trips_of(*, seeds: tuple[int, int] = (7, 8), end_s: float = 7200.0, **values: Any) -> Trips:
    given_values = {"num_vehicles": 4000, "start_time_hour": 12.0} | values
    config = GeneratedScenarioConfig(private_traffic_seed=1, public_traffic_seed=2, **given_values)
    return generate_trips(config, PAIRS, DemandSeeds(*seeds), end_s=end_s)


def kind(trips: Trips, vehicle_type: str) -> dict[str, list[int]]:
    mine = trips.vehicle_type == VEHICLE_TYPES.index(vehicle_type)
    return {field.name: getattr(trips, field.name)[mine].tolist() for field in fields(Trips)}


def shares(names: tuple[str, ...], values: list[int]) -> dict[str, float]:
    return {names[i]: 100 * n / len(values) for i, n in sorted(Counter(values).items())}


@settings(max_examples=60, deadline=None)
@given(
    num_vehicles=st.integers(1, 400),
    percent=st.integers(0, 100),
    end_s=st.floats(1.0, 90_000.0),
    public=st.sampled_from(["in 25 out 25 inner 35 pass 15", "in 100", "out 33 pass 67"]),
    pattern=st.sampled_from(["uniform", "six_periods", "rush_hours:12-13:60", "hourly:12:5"]),
)
def test_no_vehicle_is_lost_and_shares_are_exact(
    num_vehicles: int, percent: int, end_s: float, public: str, pattern: str
) -> None:
    trips = trips_of(
        num_vehicles=num_vehicles,
        vehicle_types={"passenger": percent, "public": 100 - percent},
        public_routes=public,
        departure_pattern=pattern,
        end_s=end_s,
    )
    num_passengers = len(kind(trips, "passenger")["number"])
    assert len(trips) == num_vehicles
    assert num_passengers == num_vehicles * percent // 100
    assert kind(trips, "passenger")["number"] == list(range(num_passengers))
    assert kind(trips, "public")["number"] == list(range(num_vehicles - num_passengers))
    assert (np.diff(trips.depart_s) >= 0).all()
    assert trips.depart_s.max() < end_s


def test_route_patterns_follow_their_shares_at_midday() -> None:
    cars = kind(trips_of(num_vehicles=20_000, vehicle_types="passenger 100"), "passenger")
    found = shares(ROUTE_PATTERNS, cars["pattern"])
    assert found == pytest.approx({"in": 30, "out": 30, "inner": 25, "pass": 15}, abs=1.5)


@pytest.mark.parametrize(("hour", "into", "outward"), [(7.0, 45, 15), (17.0, 15, 45)])
def test_commuters_drive_in_by_morning_and_out_by_evening(
    hour: float, into: float, outward: float
) -> None:
    trips = trips_of(num_vehicles=20_000, vehicle_types="passenger 100", start_time_hour=hour)
    found = shares(ROUTE_PATTERNS, trips.pattern.tolist())
    assert found == pytest.approx({"in": into, "out": outward, "inner": 25, "pass": 15}, abs=1.5)


def test_the_clock_runs_on_while_vehicles_depart() -> None:
    trips = trips_of(num_vehicles=20_000, vehicle_types="passenger 100", start_time_hour=9.0)
    inward = trips.pattern == ROUTE_PATTERNS.index("in")
    before = inward[trips.depart_s < 3600].mean()
    after = inward[trips.depart_s >= 3600].mean()
    assert (before, after) == pytest.approx((0.45, 0.30), abs=0.02)


def test_routing_follows_its_shares_and_lines_keep_their_way() -> None:
    trips = trips_of(num_vehicles=20_000, routing_strategy="shortest 70 realtime 30")
    cars, public = kind(trips, "passenger"), kind(trips, "public")
    found = shares(ROUTING_STRATEGIES, cars["strategy"])
    assert found == pytest.approx({"shortest": 70, "realtime": 30}, abs=1.5)
    assert set(public["strategy"]) == {ROUTING_STRATEGIES.index("shortest")}


def test_another_public_seed_leaves_every_car_as_it_was() -> None:
    one, other = trips_of(seeds=(7, 8)), trips_of(seeds=(7, 9))
    assert kind(one, "passenger") == kind(other, "passenger")
    assert kind(one, "public")["start"] != kind(other, "public")["start"]


def test_another_private_seed_leaves_every_bus_as_it_was() -> None:
    one, other = trips_of(seeds=(7, 8)), trips_of(seeds=(6, 8))
    assert kind(one, "public") == kind(other, "public")
    assert kind(one, "passenger")["start"] != kind(other, "passenger")["start"]
    assert kind(one, "passenger")["pattern"] != kind(other, "passenger")["pattern"]


def test_equal_seeds_do_not_tie_cars_to_buses() -> None:
    trips = trips_of(seeds=(7, 7), vehicle_types="passenger 50 public 50", end_s=600.0)
    cars, public = kind(trips, "passenger"), kind(trips, "public")
    assert cars["start"][:100] != public["start"][:100]


def test_routing_shares_do_not_change_where_anyone_drives() -> None:
    one, other = trips_of(), trips_of(routing_strategy="realtime 100")
    assert (one.start == other.start).all()
    assert (one.end == other.end).all()


def test_lines_keep_an_even_headway_and_one_pair_of_streets() -> None:
    public = kind(trips_of(num_vehicles=25_000, start_time_hour=7.0), "public")
    by_line: dict[int, list[tuple[int, int, int]]] = {}
    for i, line in enumerate(public["line"]):
        by_line.setdefault(line, []).append(
            (public["depart_s"][i], public["start"][i], public["end"][i])
        )
    # 2500 vehicles at 124 a line and day for 2 h.
    assert len(by_line) == 242
    assert sorted(by_line) == list(range(242))
    for runs in by_line.values():
        headways_s = np.diff([depart_s for depart_s, _, _ in runs])
        assert len(runs) >= 10
        assert np.ptp(headways_s) <= 1
        assert headways_s.mean() == pytest.approx(7200 * 242 / 2500, abs=1)
        assert len({(start, end) for _, start, end in runs}) == 1


def test_lines_keep_their_headway_within_each_window_of_the_pattern() -> None:
    public = kind(
        trips_of(
            num_vehicles=4000,
            vehicle_types="public 100",
            start_time_hour=8.0,
            departure_pattern="custom:08:00-09:00,75;09:00-10:00,25",
        ),
        "public",
    )
    depart_s, line = np.array(public["depart_s"]), np.array(public["line"])
    num_lines = int(line.max()) + 1
    for begin_s, departures in ((0, 3000), (3600, 1000)):
        within = (depart_s >= begin_s) & (depart_s < begin_s + 3600)
        assert within.sum() == departures
        for one in range(num_lines):
            headways_s = np.diff(depart_s[within & (line == one)])
            assert headways_s == pytest.approx(3600 * num_lines / departures, abs=1)


def test_the_phase_is_that_of_the_clock_at_departure() -> None:
    trips = trips_of(start_time_hour=9.0, departure_pattern="six_periods")
    cars = trips.vehicle_type == VEHICLE_TYPES.index("passenger")
    wanted = np.where(
        trips.depart_s < 3600, DAY_PHASES.index("morning"), DAY_PHASES.index("midday")
    )
    assert (trips.phase[cars] == wanted[cars]).all()


def test_all_four_strategies_mix() -> None:
    routing = "shortest 40 realtime 30 fastest 20 attractiveness 10"
    cars = kind(trips_of(num_vehicles=20_000, routing_strategy=routing), "passenger")
    wanted = {"shortest": 40, "realtime": 30, "fastest": 20, "attractiveness": 10}
    assert shares(ROUTING_STRATEGIES, cars["strategy"]) == pytest.approx(wanted, abs=1.5)


def test_lines_are_shared_among_patterns_to_the_last_one() -> None:
    public = kind(trips_of(num_vehicles=25_000), "public")
    pattern_of_line = dict(zip(public["line"], public["pattern"], strict=True))
    found = Counter(ROUTE_PATTERNS[pattern] for pattern in pattern_of_line.values())
    # 242 lines: 60.5, 60.5, 84.7 and 36.3 by their shares.
    assert found["in"] + found["out"] == 121
    assert (found["inner"], found["pass"]) == (85, 36)


def test_a_short_time_still_gives_every_line_a_vehicle() -> None:
    public = kind(trips_of(num_vehicles=100, vehicle_types="public 100", end_s=60.0), "public")
    assert len(set(public["line"])) == 100
