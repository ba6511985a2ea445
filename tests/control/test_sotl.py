"""Self-organising traffic lights: the counting and both of its brakes, by hand."""

from typing import Any

import pytest
import traffic_cases as cases
from controller_cases import CROSSING, state

from trafficrl.config.controllers import SotlConfig
from trafficrl.control.sotl import Sotl
from trafficrl.errors import ConfigError


def sotl(**changes: Any) -> Sotl:
    values = {"theta_veh_s": 20.0, "min_green_s": 10.0, "omega_m": 25.0, "mu_veh": 3.0}
    return Sotl(CROSSING, SotlConfig(**(values | changes)), step_s=1.0)


def phases(controller: Sotl, *given: Any) -> list[int]:
    return [int(controller.decide(one).phase[0]) for one in given]


def test_red_counts_vehicles_and_seconds() -> None:
    """One vehicle counts 5 in 5 s: 20 are there after the fourth interval; two need half of it."""
    one, two = state(vehicles={"south_0": 1}), state(vehicles={"south_0": 2})
    assert phases(sotl(), one, one, one, one) == [0, 0, 0, 2]
    assert phases(sotl(), two, two) == [0, 2]
    assert phases(sotl(theta_veh_s=21), *[one] * 5) == [0, 0, 0, 0, 2]


def test_the_count_begins_anew_with_green_and_with_an_episode() -> None:
    controller = sotl()
    waiting = {"south_0": 1.0}
    phases(controller, *[state(vehicles=waiting)] * 4)
    shown = state(vehicles=waiting, phase=2)
    assert phases(controller, shown, *[state(vehicles=waiting)] * 4) == [2, 0, 0, 0, 2]
    phases(controller, *[state(vehicles=waiting)] * 3)
    assert controller.begin(cases.scenario(), 1) == ()
    assert phases(controller, *[state(vehicles=waiting)] * 4) == [0, 0, 0, 2]


def test_the_most_waited_for_goes_first() -> None:
    controller = sotl()
    both = {"west_1": 4.0, "south_0": 5.0}
    assert phases(controller, state(vehicles=both, phase=3)) == [2]
    assert phases(sotl(), state(vehicles={"west_1": 6.0, "south_0": 5.0}, phase=3)) == [0]


def test_who_yields_asks_for_a_phase_of_his_own() -> None:
    assert phases(sotl(), *[state(vehicles={"west_1": 2})] * 2) == [0, 1]
    assert phases(sotl(), *[state(vehicles={"west_1": 2}, phase=1)] * 9) == [1] * 9


def test_a_young_green_stays() -> None:
    many = {"south_0": 9.0}
    ages = [-3.0, 0.0, 9.0, 10.0]
    found = phases(sotl(), *[state(vehicles=many, age_s=age_s) for age_s in ages])
    assert found == [0, 0, 0, 2]


@pytest.mark.parametrize(
    ("moving", "changes"),
    [
        (0, True),
        (1, True),  # a quarter of a vehicle within 25 m of 100 m
        (3, False),
        (8, False),
        (10, False),
        (11, True),  # three within 25 m: a stream, and no end of it
    ],
)
def test_the_end_of_a_platoon_passes_first(moving: float, *, changes: bool) -> None:
    given = state(vehicles={"west_0": moving, "south_0": 9.0}, queue={"south_0": 9.0})
    assert (phases(sotl(theta_veh_s=0.0), given) == [2]) is changes
    assert phases(sotl(theta_veh_s=0.0, mu_veh=0.0), given) == [2]


def test_who_stands_at_green_is_no_platoon() -> None:
    blocked = state(vehicles={"west_1": 4, "south_0": 9}, queue={"west_1": 4, "south_0": 9})
    assert phases(sotl(), blocked) == [2]


def test_an_interval_is_a_whole_number_of_steps() -> None:
    with pytest.raises(ConfigError, match=r"controller\.\*\.interval_s must be a multiple"):
        Sotl(CROSSING, SotlConfig(), step_s=0.4)
