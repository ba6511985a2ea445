"""What a departure pattern may look like, and the one line about each that may not."""

import pytest
from composing import experiment

from trafficrl.config.departure_patterns import (
    DEPARTURE_PATTERNS,
    EXAMPLES,
    Span,
    parse_departure_pattern,
)
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.errors import ConfigError


def windows(text: str) -> list[tuple[float, float, float]]:
    pattern = parse_departure_pattern("departure_pattern", text)
    return [(w.from_s / 3600, w.to_s / 3600, w.weight) for w in pattern.windows]


@pytest.mark.parametrize("name", DEPARTURE_PATTERNS)
def test_every_example_is_one_of_its_pattern(name: str) -> None:
    pattern = parse_departure_pattern("departure_pattern", EXAMPLES[name])
    assert pattern.text.partition(":")[0] == name
    assert pattern.rest + sum(window.weight for window in pattern.windows) == pytest.approx(100)


def test_times_are_hours_decimals_or_minutes() -> None:
    text = "rush_hours:7-9:40,16.5-17.75:20,18:10-19:05:5"
    assert windows(text) == [(7, 9, 40), (16.5, 17.75, 20), (18 + 1 / 6, 19 + 1 / 12, 5)]


def test_hourly_names_the_hour_that_begins() -> None:
    assert windows("hourly:0:1,23:2.5") == [(0, 1, 1), (23, 24, 2.5)]


def test_a_window_may_run_over_midnight() -> None:
    assert windows("custom:22:00-02:30,60;03:00-22:00,0;") == [(22, 26.5, 60), (3, 22, 0)]
    assert windows("custom:24:00-02:00,60") == [(0, 2, 60)]


def test_custom_leaves_the_rest_to_the_gaps() -> None:
    pattern = parse_departure_pattern("departure_pattern", "custom:08:00-08:30,60;09:00-09:15,15")
    assert (pattern.span, pattern.rest) == (Span.episode, 25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unifrom", r"unknown 'unifrom' \(did you mean 'uniform'\?\); choices: custom, hourly"),
        ("", "unknown ''; choices: custom, hourly, rush_hours, six_periods, uniform"),
        ("uniform:7-9:40", "uniform takes no windows, got 'uniform:7-9:40'"),
        ("six_periods:", "six_periods takes no windows"),
        ("rush_hours", r"'' is no window with its weight, got 'rush_hours'; write rush_hours:7-9"),
        ("hourly:", "'' is no window with its weight"),
        ("custom", "'' is no window with its percentage"),
        ("custom:08:00-09:00", "'08:00-09:00' is no window with its percentage"),
        ("custom:08:00,50", "'08:00' is no window of the clock"),
        ("custom:08:00-08:00,50", "the window 08:00-08:00 is empty"),
        ("custom:8am-9am,50", r"'8am' is no time of day \(7, 7.5 or 7:30\)"),
        ("custom:08:60-09:00,50", "'08:60' is no time of day"),
        ("custom:08:00-24:01,50", "'24:01' is later than 24:00"),
        ("custom:08:00-09:00,fifty", "'fifty' is no number >= 0"),
        ("custom:08:00-09:00,-5", "'-5' is no number >= 0"),
        ("custom:08:00-09:00,nan", "'nan' is no number >= 0"),
        ("custom:08:00-09:00,60;10:00-11:00,60", r"at most 100 \[%\], they sum to 120"),
        (
            "custom:08:00-09:00,30;08:59-10:00,30",
            "the windows 08:00-09:00 and 08:59-10:00 overlap",
        ),
        (
            "rush_hours:22-2:40,1-3:30",
            "the windows 22:00-02:00 and 01:00-03:00 overlap",
        ),
        ("hourly:7:10,8:20,7:5", "the windows 07:00-08:00 and 07:00-08:00 overlap"),
        ("hourly:24:10", "'25' is later than 24:00"),
        ("rush_hours:7-9:40,rest:10,rest:5", "rest is given twice"),
        ("rush_hours:rest:10", "it names no window"),
        ("rush_hours:7-9:0,rest:0", "all weights are 0"),
        ("rush_hours:0-24:50,rest:50", "leave no time of the day for the rest; write rest:0"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^departure_pattern: .*{message}") as caught:
        parse_departure_pattern("departure_pattern", text)
    assert "\n" not in str(caught.value)


def test_the_command_line_takes_every_pattern_and_names_the_scenario() -> None:
    for text in EXAMPLES.values():
        scenario = experiment(f'scenarios.morning.departure_pattern="{text}"').scenarios["morning"]
        assert isinstance(scenario, GeneratedScenarioConfig)
        assert scenario.departure_pattern == text
    with pytest.raises(ConfigError, match=r"^scenarios\.morning\.departure_pattern: the window"):
        experiment('scenarios.morning.departure_pattern="custom:08:00-08:00,5"')


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("public_stop_spacing_m", "99", r"must be in 100..10000 \[m, or 0\], got 99"),
        ("public_stop_spacing_m", "-1", r"must be in 100..10000 \[m, or 0\], got -1"),
        ("public_dwell_s", "0", r"must be in 1..600 \[s\], got 0"),
        ("num_vehicles", "1000001", r"must be in 1..1000000 \[veh\], got 1000001"),
        ("routing_strategy", "fastest 60", r"shares must sum to 100 \[%\], got 60"),
        ("routing_strategy", "quickest 100", r"unknown 'quickest'; choices: attractiveness, fas"),
    ],
)
def test_ranges_of_the_demand(key: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"^scenarios\.morning\.{key}:? ?{message}"):
        experiment(
            f'scenarios.morning.{key}="{value}"'
            if " " in value
            else f"scenarios.morning.{key}={value}"
        )
