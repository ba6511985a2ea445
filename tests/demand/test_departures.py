"""Departure times: every pattern to the last vehicle, in order, inside the episode."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trafficrl.config.departure_patterns import parse_departure_pattern
from trafficrl.demand.departures import build_departures
from trafficrl.errors import DemandError

DAY_S = 86400.0


def departures(
    text: str, num_vehicles: int, *, start_hour: float = 0.0, end_s: float = DAY_S
) -> np.ndarray:
    pattern = parse_departure_pattern("departure_pattern", text)
    return build_departures(pattern, num_vehicles, start_hour=start_hour, end_s=end_s)


def per_hour(depart_s: np.ndarray, *bounds_h: float) -> list[int]:
    """How many depart between each bound [h since the beginning] and the next."""
    counts, _ = np.histogram(depart_s, bins=np.array(bounds_h) * 3600 - 0.5)
    return [int(count) for count in counts]


@st.composite
def patterns(draw: st.DrawFn) -> tuple[str, float, float]:
    """A pattern with an episode that it fits: its text, the first hour, and the length [s]."""
    start_h = draw(st.integers(0, 24))
    hours = draw(st.integers(1, 60))
    name = draw(st.sampled_from(["uniform", "six_periods", "rush_hours", "hourly", "custom"]))
    if name in ("uniform", "six_periods"):
        return name, draw(st.floats(0, 24)), draw(st.floats(1, 200_000))
    bounds = sorted(draw(st.sets(st.integers(0, 23), min_size=2, max_size=8)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    weights = draw(st.lists(st.integers(1, 40), min_size=len(pairs), max_size=len(pairs)))
    if name == "custom":
        shares = [100 * weight // (2 * sum(weights)) for weight in weights]
        parts = [f"{a:02d}:00-{b:02d}:30,{p}" for (a, b), p in zip(pairs, shares, strict=True)]
        return f"custom:{';'.join(parts)}", 0.0, 86400.0 + 3600 * hours
    separator = "-{}" if name == "rush_hours" else ""
    parts = [f"{a}{separator.format(b)}:{w}" for (a, b), w in zip(pairs, weights, strict=True)]
    return f"{name}:{','.join(parts)},rest:{draw(st.integers(1, 50))}", start_h, 86400.0


@settings(max_examples=200, deadline=None)
@given(pattern=patterns(), num_vehicles=st.integers(0, 3000))
def test_everyone_departs_in_order_and_inside_the_episode(
    pattern: tuple[str, float, float], num_vehicles: int
) -> None:
    text, start_h, end_s = pattern
    depart_s = departures(text, num_vehicles, start_hour=start_h, end_s=end_s)
    assert len(depart_s) == num_vehicles
    assert depart_s.dtype == np.int64
    assert (np.diff(depart_s) >= 0).all()
    assert ((depart_s >= 0) & (depart_s < end_s)).all()
    assert (depart_s == departures(text, num_vehicles, start_hour=start_h, end_s=end_s)).all()


@settings(max_examples=100, deadline=None)
@given(
    num_vehicles=st.integers(1, 5000),
    shares=st.lists(st.integers(0, 25), min_size=4, max_size=4),
)
def test_custom_windows_hold_their_share_to_less_than_one_vehicle(
    num_vehicles: int, shares: list[int]
) -> None:
    windows = ";".join(f"{2 + 3 * i:02d}:00-{4 + 3 * i:02d}:00,{p}" for i, p in enumerate(shares))
    depart_s = departures(f"custom:{windows}", num_vehicles, end_s=15 * 3600)
    found = per_hour(depart_s, 0, 2, 4, 5, 7, 8, 10, 11, 13, 15)
    # The rest fills the gaps, which last 2, 1, 1, 1 and 2 hours.
    rest = 100 - sum(shares)
    gaps = [rest * hours / 7 for hours in (2, 1, 1, 1, 2)]
    wanted = [gaps[0]] + [x for i in range(4) for x in (shares[i], gaps[i + 1])]
    assert sum(found) == num_vehicles
    assert (np.abs(np.array(found) - np.array(wanted) * num_vehicles / 100) < 1).all()


def test_uniform_departures_are_the_floor_of_even_steps() -> None:
    assert departures("uniform", 4, end_s=10.0).tolist() == [0, 2, 5, 7]
    assert departures("uniform", 22000, end_s=7300.0).tolist() == (
        [i * 7300 // 22000 for i in range(22000)]
    )


def test_six_periods_over_a_whole_day() -> None:
    depart_s = departures("six_periods", 24_000)
    # 20 % in the morning, of which a third falls into the rush that has 30 % of its own.
    assert per_hour(depart_s, 0, 6, 7.5, 9.5, 12, 17, 19, 22, 24) == (
        [180, 1200, 8800, 2000, 6000, 4800, 960, 60]
    )


def test_an_episode_sees_its_part_of_the_day() -> None:
    # From 8:30 an hour of rush (15 + 20/6 percent an hour) and half an hour of morning.
    depart_s = departures("six_periods", 1200, start_hour=8.5, end_s=5400.0)
    rush, morning = 15 + 20 / 6, 20 / 6 / 2
    assert per_hour(depart_s, 0, 1, 1.5) == [round(1200 * rush / (rush + morning)), 100]


def test_the_day_goes_on_after_midnight() -> None:
    depart_s = departures("rush_hours:22-2:60,rest:20", 400, start_hour=21.0, end_s=6 * 3600)
    # A quarter of the window's weight an hour, one twentieth of the rest's.
    assert per_hour(depart_s, 0, 1, 5, 6) == [6, 388, 6]


def test_rush_hours_and_their_rest() -> None:
    depart_s = departures("rush_hours:7-9:40,17-19:30,rest:10", 8000)
    assert per_hour(depart_s, 0, 7, 9, 17, 19, 24) == [350, 4000, 400, 3000, 250]


def test_the_rest_weighs_ten_where_nothing_is_said() -> None:
    said, unsaid = "rush_hours:7-9:40,17:00-19:00:30,rest:10", "rush_hours:7-9:40,17-19:30"
    assert (departures(said, 777) == departures(unsaid, 777)).all()


def test_hourly_weights() -> None:
    depart_s = departures("hourly:7:25,8:35,rest:40", 1000, start_hour=7.0, end_s=3 * 3600)
    # 22 hours share the rest, so that 25, 35 and 40/22 give 404.4, 566.2 and 29.4 vehicles.
    assert per_hour(depart_s, 0, 1, 2, 3) == [405, 566, 29]


def test_custom_windows_of_an_episode_that_begins_at_eight() -> None:
    text = "custom:08:00-08:30,60;09:00-09:15,10"
    depart_s = departures(text, 1000, start_hour=8.0, end_s=7200.0)
    assert per_hour(depart_s, 0, 0.5, 1, 1.25, 2) == [600, 120, 100, 180]
    inside = depart_s[:600]
    assert inside.tolist() == [3 * i for i in range(600)]


def test_custom_windows_over_midnight_and_up_to_the_last_second() -> None:
    text = "custom:23:30-00:30,40;00:30-01:00,60"
    depart_s = departures(text, 100, start_hour=23.0, end_s=7200.0)
    assert per_hour(depart_s, 0, 0.5, 1.5, 2) == [0, 40, 60]
    assert depart_s.max() == 5400 + 59 * 1800 // 60


@pytest.mark.parametrize(
    ("text", "start_h", "end_s", "message"),
    [
        (
            "custom:07:00-08:30,50",
            8.0,
            7200.0,
            r"the window 07:00-08:30 does not lie within the episode, 08:00 to 10:00",
        ),
        ("custom:09:00-10:01,50", 8.0, 7200.0, r"the window 09:00-10:01 does not lie within"),
        ("custom:08:00-10:00,50", 8.0, 7200.0, r"50 \[%\] depart .* leave no time for the rest"),
        (
            "rush_hours:7-9:40,17-19:30",
            10.0,
            7200.0,
            r"says nothing about the episode, 10:00 to 12:00",
        ),
        ("hourly:7:40,8:0,rest:0", 8.0, 3600.0, r"says nothing about the episode"),
    ],
)
def test_a_pattern_that_does_not_fit_the_episode_is_named(
    text: str, start_h: float, end_s: float, message: str
) -> None:
    with pytest.raises(DemandError, match=f"^departure_pattern: .*{message}") as caught:
        departures(text, 100, start_hour=start_h, end_s=end_s)
    assert "\n" not in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(num_vehicles=st.integers(10, 2000), start_h=st.floats(0, 24), end_s=st.floats(3600, 90000))
def test_departures_are_even_within_every_period(
    num_vehicles: int, start_h: float, end_s: float
) -> None:
    depart_s = departures("six_periods", num_vehicles, start_hour=start_h, end_s=end_s)
    clock_s = depart_s + start_h * 3600
    bounds_s = np.array([0, 6, 7.5, 9.5, 12, 17, 19, 22]) * 3600
    period = np.searchsorted(bounds_s, clock_s % DAY_S + 1, side="right") + 8 * (clock_s // DAY_S)
    for which in np.unique(period):
        # The floor to whole seconds may put the first into the second before its period.
        headways_s = np.diff(depart_s[period == which])[1:]
        assert len(headways_s) == 0 or np.ptp(headways_s) <= 1
