"""The clock that chooses the day phase."""

import pytest

from trafficrl.demand.day_phases import day_phase
from trafficrl.network.model import DAY_PHASES


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
