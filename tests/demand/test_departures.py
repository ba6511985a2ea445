"""Departure times and the clock that chooses the day phase."""

import numpy as np
import pytest

from trafficrl.config.scenarios import DEPARTURE_PATTERNS
from trafficrl.demand.day_phases import day_phase
from trafficrl.demand.departures import DEPARTURES, build_departures
from trafficrl.errors import ConfigError
from trafficrl.network.model import DAY_PHASES


def test_uniform_departures_are_the_floor_of_even_steps() -> None:
    assert build_departures("uniform", 4, 10.0).tolist() == [0, 2, 5, 7]


@pytest.mark.parametrize(
    ("num_vehicles", "end_s"), [(0, 60.0), (1, 60.0), (22000, 7300.0), (7, 2.5)]
)
def test_everyone_departs_in_order_before_the_end(num_vehicles: int, end_s: float) -> None:
    depart_s = build_departures("uniform", num_vehicles, end_s)
    assert len(depart_s) == num_vehicles
    assert (np.diff(depart_s) >= 0).all()
    assert ((depart_s >= 0) & (depart_s < end_s)).all()


def test_every_pattern_of_the_configuration_is_in_the_table() -> None:
    assert tuple(DEPARTURES) == DEPARTURE_PATTERNS


def test_an_unknown_pattern_names_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"departure_pattern: unknown 'unifrom' .*uniform"):
        build_departures("unifrom", 1, 60.0)


@pytest.mark.parametrize(
    ("clock_h", "phase"),
    [
        (0.0, "night"),
        (5.999, "night"),
        (6.0, "morning"),
        (9.999, "morning"),
        (10.0, "midday"),
        (16.0, "evening"),
        (19.999, "evening"),
        (20.0, "midday"),
        (22.0, "night"),
        (24.0, "night"),
        (31.0, "morning"),
    ],
)
def test_day_phase_of_the_clock(clock_h: float, phase: str) -> None:
    assert DAY_PHASES[int(day_phase(clock_h * 3600))] == phase
