"""Longest queue and max pressure: decisions by hand."""

from collections.abc import Mapping

import numpy as np
import pytest
import traffic_cases as cases
from controller_cases import CROSSING, state

from trafficrl.config.controllers import Count, LongestQueueConfig, MaxPressureConfig
from trafficrl.control.greedy import lane_pressure, longest_queue, max_pressure
from trafficrl.control.phase_choice import PhaseChoice
from trafficrl.errors import ConfigError
from trafficrl.simulation.state import TrafficState

QUEUE = longest_queue(CROSSING, LongestQueueConfig(), step_s=1.0)
PRESSURE = max_pressure(CROSSING, MaxPressureConfig(), step_s=1.0)


@pytest.mark.parametrize(
    ("vehicles", "now", "wanted"),
    [
        ({"west_0": 3, "south_0": 2}, 2, 0),
        ({"west_0": 1, "west_1": 1, "south_0": 3}, 0, 2),
        ({"west_1": 2, "south_0": 1}, 2, 0),  # who yields counts too
        ({"west_1": 2}, 1, 1),  # equal to phase 0: what is shown stays
        ({"west_0": 2, "south_0": 2}, 2, 2),
        ({"east_0": 9, "north_0": 9, "south_0": 1}, 0, 2),  # behind the signal does not count
        ({}, 3, 3),
        ({"south_0": 1}, 3, 2),
    ],
)
def test_the_longest_queue_goes_first(vehicles: Mapping[str, float], now: int, wanted: int) -> None:
    command = QUEUE.decide(state(vehicles=vehicles, phase=now))
    assert command.phase.tolist() == [wanted]
    assert command.interval_s == 15


def test_a_queue_is_who_stands() -> None:
    standing = longest_queue(CROSSING, LongestQueueConfig(count=Count.queue), step_s=1.0)
    here = state(vehicles={"west_0": 5, "south_0": 2}, queue={"south_0": 1})
    assert standing.decide(here).phase.tolist() == [2]
    assert QUEUE.decide(here).phase.tolist() == [0]


def test_the_pressure_of_a_lane_is_what_it_holds_more_than_those_ahead() -> None:
    on_lanes = {"west_0": 6, "west_1": 3, "south_0": 5, "east_0": 1, "east_1": 4, "north_0": 4}
    press = lane_pressure(CROSSING)(state(vehicles=on_lanes).now.vehicles_veh)
    found = {lane.id: value for lane, value in zip(CROSSING.lanes, press, strict=True)}
    assert found == {
        "west_0": 6 - (1 + 4) / 2,
        "west_1": 0.0,  # 3 - 4 would be less than nobody
        "south_0": 5 - 4,
        "east_0": 1,  # where roads end there is nothing ahead
        "east_1": 4,
        "north_0": 4,
    }


@pytest.mark.parametrize(
    ("vehicles", "now", "wanted"),
    [
        ({"west_0": 3, "south_0": 2}, 2, 0),
        ({"west_0": 3, "south_0": 2, "east_0": 2, "east_1": 2}, 0, 2),
        ({"west_0": 3, "south_0": 2, "east_0": 2}, 2, 2),
        # No phase is better for leading nowhere: the one for people on foot is not chosen.
        ({"west_0": 3, "south_0": 4, "east_0": 9, "east_1": 9, "north_0": 3}, 0, 2),
        ({"west_0": 3, "south_0": 4, "east_0": 9, "east_1": 9, "north_0": 9}, 0, 0),
    ],
)
def test_the_largest_pressure_goes_first(
    vehicles: Mapping[str, float], now: int, wanted: int
) -> None:
    assert PRESSURE.decide(state(vehicles=vehicles, phase=now)).phase.tolist() == [wanted]


def test_after_a_long_green_another_phase_has_its_turn() -> None:
    """West_1 could wait for a gap for ever: phase 0 has all the lanes of phase 1."""

    def chosen(given: TrafficState) -> list[int]:
        return [int(one.decide(given).phase[0]) for one in (QUEUE, PRESSURE)]

    assert chosen(state(vehicles={"west_1": 9}, age_s=59)) == [0, 0]
    assert chosen(state(vehicles={"west_1": 9}, age_s=60)) == [1, 1]
    assert chosen(state(vehicles={"west_0": 9, "south_0": 1}, age_s=60)) == [2, 2]
    assert chosen(state(vehicles={"west_0": 9}, age_s=60)) == [0, 0]


def test_each_signal_of_a_city_chooses_for_itself() -> None:
    city = cases.city()
    counts = [len(signal.phases) for signal in city.signals]
    assert set(counts) == {3, 4}
    score = np.zeros(sum(counts))
    now = np.arange(len(counts)) % 3
    choice = PhaseChoice(city)
    assert choice.best(score, now).tolist() == now.tolist()
    wanted = [count - 1 for count in counts]
    score[np.cumsum(counts) - 1] = 0.5
    assert choice.best(score, now).tolist() == wanted
    score -= 7.0
    assert choice.best(score, now).tolist() == wanted


def test_an_interval_is_a_whole_number_of_steps() -> None:
    message = r"controller\.\*\.interval_s must be a multiple of network.step_length 0.4 \[s\]"
    with pytest.raises(ConfigError, match=message):
        longest_queue(CROSSING, LongestQueueConfig(), step_s=0.4)
    with pytest.raises(ConfigError, match=message):
        max_pressure(CROSSING, MaxPressureConfig(), step_s=0.4)
