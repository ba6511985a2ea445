"""The departure patterns that a user may write, as windows of the clock with weights.

    uniform
    six_periods
    rush_hours:7-9:40,17-19:30,rest:10      weight of a window; of all the rest of the day
    hourly:7:25,8:35,rest:40                weight of the hour from 7 to 8, from 8 to 9
    custom:08:00-08:30,60;09:00-09:15,10    percent of the vehicles of an episode

A time is written `7`, `7.5` or `7:30`. A window that ends before it begins runs over midnight.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from trafficrl.config.checks import check_choice, check_range
from trafficrl.errors import ConfigError

__all__ = [
    "DAY_S",
    "DEPARTURE_PATTERNS",
    "DeparturePattern",
    "Span",
    "Window",
    "clock_text",
    "parse_departure_pattern",
]

DAY_S = 86400.0
DEFAULT_REST = 10.0
"""Weight of the rest of the day where rush_hours and hourly do not name one, as published."""
CLOCK = re.compile(r"(\d{1,2})(?::([0-5]\d)|(\.\d+))?")


class Span(Enum):
    """What the weights of a pattern are shares of."""

    day = "day"
    """A day, of which an episode sees the part between its begin and its end."""
    episode = "episode"
    """The vehicles of an episode, in percent."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the day with its weight; it may end on the next day."""

    from_s: float
    """Clock time [s] in 0..86400, the end left out."""
    to_s: float
    """Clock time [s] after from_s; more than 86400 if the window runs over midnight."""
    weight: float

    def __str__(self) -> str:
        return f"{clock_text(self.from_s)}-{clock_text(self.to_s)}"

    def within_day(self) -> Iterator[tuple[float, float]]:
        """Begin and end [s] in 0..86400: one part, or two if the window runs over midnight."""
        yield self.from_s, min(self.to_s, DAY_S)
        if self.to_s > DAY_S:
            yield 0.0, self.to_s - DAY_S


@dataclass(frozen=True, slots=True)
class DeparturePattern:
    """When vehicles depart, as the user said it."""

    text: str
    span: Span
    windows: tuple[Window, ...]
    rest: float
    """Weight of all time outside the windows together, shared by duration."""


SIX_PERIODS = tuple(
    Window(from_h * 3600.0, to_h * 3600.0, percent)
    for from_h, to_h, percent in (
        (0, 6, 0.75),
        (6, 12, 20),
        (7.5, 9.5, 30),
        (12, 17, 25),
        (17, 19, 20),
        (19, 22, 4),
        (22, 24, 0.25),
    )
)
"""Day profile of the published grid study [%]: the morning rush comes on top of the morning."""

EXAMPLES = {
    "uniform": "uniform",
    "six_periods": "six_periods",
    "rush_hours": "rush_hours:7-9:40,17-19:30,rest:30",
    "hourly": "hourly:7:25,8:35,rest:40",
    "custom": "custom:08:00-08:30,60;09:00-09:15,10",
}
DEPARTURE_PATTERNS = tuple(EXAMPLES)


def parse_departure_pattern(field: str, text: str) -> DeparturePattern:
    """The pattern that the text stands for; field is named in every message.

    Raises:
        ConfigError: an unknown pattern, a part that cannot be read, windows that overlap or are
            empty, percentages above 100, or no weight at all.
    """
    name, colon, rest = text.partition(":")
    check_choice(field, name, DEPARTURE_PATTERNS)
    if name in ("uniform", "six_periods"):
        if colon:
            raise ConfigError(f"{field}: {name} takes no windows, got {text!r}")
        windows = SIX_PERIODS if name == "six_periods" else ()
        span = Span.day if windows else Span.episode
        return DeparturePattern(text, span, windows, 0.0 if windows else 100.0)
    try:
        pattern = _custom(text, rest) if name == "custom" else _weighted(text, name, rest)
        _check_overlap(pattern.windows)
    except ValueError as error:
        raise ConfigError(f"{field}: {error}, got {text!r}; write {EXAMPLES[name]}") from error
    return pattern


def _custom(text: str, body: str) -> DeparturePattern:
    windows = []
    for part in body.removesuffix(";").split(";"):
        times, comma, percent = part.partition(",")
        if not comma:
            raise ValueError(f"{part!r} is no window with its percentage")
        windows.append(_window(times, _weight(percent)))
    total = sum(window.weight for window in windows)
    if total > 100 + 1e-9:
        raise ValueError(f"the windows must sum to at most 100 [%], they sum to {total:g}")
    return DeparturePattern(text, Span.episode, tuple(windows), max(100 - total, 0.0))


def _weighted(text: str, name: str, body: str) -> DeparturePattern:
    windows, rest = [], None
    for part in body.split(","):
        key, colon, number = part.rpartition(":")
        if not colon:
            raise ValueError(f"{part!r} is no window with its weight")
        if key != "rest":
            times = f"{key}-{int(key) + 1}" if name == "hourly" and key.isdecimal() else key
            windows.append(_window(times, _weight(number)))
        elif rest is None:
            rest = _weight(number)
        else:
            raise ValueError("rest is given twice")
    if not windows:
        raise ValueError("it names no window")
    rest = DEFAULT_REST if rest is None else rest
    if rest + sum(window.weight for window in windows) <= 0:
        raise ValueError("all weights are 0")
    if rest and sum(window.to_s - window.from_s for window in windows) >= DAY_S:
        raise ValueError("the windows leave no time of the day for the rest; write rest:0")
    return DeparturePattern(text, Span.day, tuple(windows), rest)


def _window(text: str, weight: float) -> Window:
    begin, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is no window of the clock")
    from_s, to_s = _clock_s(begin) % DAY_S, _clock_s(end)
    if from_s == to_s:
        raise ValueError(f"the window {text} is empty")
    return Window(from_s, to_s if to_s > from_s else to_s + DAY_S, weight)


def _clock_s(text: str) -> float:
    match = CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time of day (7, 7.5 or 7:30)")
    hours, minutes, fraction = match.groups()
    time_s = int(hours) * 3600 + int(minutes or 0) * 60 + float(fraction or 0) * 3600
    if time_s > DAY_S:
        raise ValueError(f"{text!r} is later than 24:00")
    return time_s


def _weight(text: str) -> float:
    try:
        weight = float(text)
        check_range("weight", weight, 0, 1e9)
    except (ValueError, ConfigError) as error:
        raise ValueError(f"{text!r} is no number >= 0") from error
    return weight


def _check_overlap(windows: tuple[Window, ...]) -> None:
    parts = sorted((*part, str(window)) for window in windows for part in window.within_day())
    for (_, end, one), (begin, _, other) in pairwise(parts):
        if begin < end:
            raise ValueError(f"the windows {one} and {other} overlap")


def clock_text(time_s: float) -> str:
    """HH:MM of a time [s], on whatever day."""
    minutes = round(time_s / 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
