"""Nobody must brake hard because a signal changed, and every vehicle of every demand may drive."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import traffic_cases as cases
from grid_cases import REALISTIC
from safety_cases import random_commands, watch

from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.network.build import build_network
from trafficrl.network.model import Network

BOTH_KINDS = pytest.mark.parametrize("kind", [NextPhase, PhaseDurations])
CITY = cases.city()


def rush(network: Network, *, end_s: float, vph: float = 6000.0) -> Scenario:
    """Every kind of driver on every way."""
    return build_scenario(
        "rush",
        cases.scenario_config(
            num_vehicles=round(vph * end_s / 3600.0),
            routing_strategy="shortest 20 realtime 60 fastest 10 attractiveness 10",
            vehicle_types="passenger 95 public 5",
            start_time_hour=8.0,
        ),
        network,
        seeds=None,
        end_s=end_s,
        folder=cases.scratch() / "demand",
    )


def check_nobody_brakes_for_a_change(kind: type[Command], *, end_s: float) -> None:
    network = build_network(REALISTIC, cases.scratch())
    asked = random_commands(network.signals, kind, seed=8)
    witness = watch(network, rush(network, end_s=end_s), asked)
    assert witness.violations() == []
    assert witness.emergencies == []
    assert witness.arrived_veh > end_s / 3


@BOTH_KINDS
def test_no_change_makes_anybody_brake_hard(kind: type[Command]) -> None:
    check_nobody_brakes_for_a_change(kind, end_s=600.0)


@pytest.mark.slow
@BOTH_KINDS
def test_no_change_makes_anybody_brake_hard_for_an_hour(kind: type[Command]) -> None:
    check_nobody_brakes_for_a_change(kind, end_s=3600.0)


def test_without_yellow_vehicles_stop_too_late_and_the_change_is_blamed() -> None:
    network = build_network(REALISTIC, cases.scratch())
    told = tuple(replace(signal, yellow_s=0.0, all_red_s=0.0) for signal in network.signals)
    asked = random_commands(told, NextPhase, seed=8)
    witness = watch(network, rush(network, end_s=400.0), asked, signals=told)
    assert len([e for e in witness.emergencies if e.cause == "red"]) >= 3


# --- every kind of demand drives


DEMANDS: dict[str, dict[str, Any]] = {
    "shortest": {"routing_strategy": "shortest 100"},
    "fastest": {"routing_strategy": "fastest 100"},
    "realtime": {"routing_strategy": "realtime 100"},
    "attractiveness": {"routing_strategy": "attractiveness 100"},
    "public": {"vehicle_types": "public 100", "public_stop_spacing_m": 200.0},
    "in": {"passenger_routes": "in 100"},
    "out": {"passenger_routes": "out 100"},
    "inner": {"passenger_routes": "inner 100"},
    "pass": {"passenger_routes": "pass 100"},
    "six periods": {"departure_pattern": "six_periods", "start_time_hour": 7.0},
    "rush hours": {"departure_pattern": "rush_hours:7-9:40,rest:10", "start_time_hour": 8.0},
    "custom": {"departure_pattern": "custom:8:00-8:01,70", "start_time_hour": 8.0},
    "first lane": {"depart_lane": "first", "depart_speed": "5"},
    "random lane": {"depart_lane": "random", "depart_speed": "random"},
}


@pytest.mark.parametrize("demand", DEMANDS)
def test_every_trip_is_accounted_for(demand: str, tmp_path: Path) -> None:
    scenario = build_scenario(
        "demand",
        cases.scenario_config(num_vehicles=80, **DEMANDS[demand]),
        CITY,
        seeds=None,
        end_s=120.0,
        folder=tmp_path,
    )
    asked = random_commands(CITY.signals, NextPhase, seed=1)
    watch(CITY, scenario, asked, output_dir=tmp_path)
    trips = cases.trips_of(tmp_path / "tripinfo.xml")
    assert trips
    assert len({trip["id"] for trip in trips}) == len(trips) == scenario.num_scheduled
