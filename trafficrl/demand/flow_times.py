"""When the vehicles of a route file depart: SUMO's clock, and the departures of its flows.

SUMO counts time in whole milliseconds and cuts the period of a flow to them. So do we: after an
hour of a flow, another rounding would find another number of vehicles in a window.
Checked against SUMO 1.28 by the tests, since no page of its manual says it.

Shapes: N vehicles of one flow.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trafficrl.errors import DemandError

__all__ = ["Depart", "FlowDepartures", "Window", "flow_departures", "parse_depart"]

IntArray = npt.NDArray[np.int64]

AT_BEGIN = "begin"
UNKNOWN = ("triggered", "containerTriggered", "split", "now")
"""Departures that a person, a container, another vehicle or a script decides."""
RATES = ("period", "vehsPerHour", "perHour", "probability")
SECONDS = {1: (1,), 3: (3600, 60, 1), 4: (86400, 3600, 60, 1)}
"""What each part of a time counts, by the number of its parts: s, h:mm:ss, d:hh:mm:ss."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the demand that is simulated, begin_ms <= time < end_ms."""

    begin_ms: int
    end_ms: int
    step_ms: int

    @classmethod
    def of(cls, begin_s: float, end_s: float, step_s: float) -> "Window":
        """The window of a simulation of whole steps."""
        return cls(*(round(value * 1000) for value in (begin_s, end_s, step_s)))

    def holds(self, time_ms: int) -> bool:
        """What is due then is simulated."""
        return self.begin_ms <= time_ms < self.end_ms

    @property
    def last_step_ms(self) -> int:
        """Begin of the last step: SUMO makes no vehicle of a flow that is due after it."""
        num_steps = -(-(self.end_ms - self.begin_ms) // self.step_ms)
        return self.begin_ms + (num_steps - 1) * self.step_ms


@dataclass(frozen=True, slots=True)
class Depart:
    """When one vehicle departs, or the first of a flow."""

    ms: int
    given: bool = True
    """False where something that happens in the simulation decides; the time is a guess then."""


@dataclass(frozen=True, slots=True)
class FlowDepartures:
    """The departures of a flow."""

    begin: Depart
    last_ms: int
    """When its last vehicle departs, due or not."""
    due_ms: IntArray  # (N,) of those that are due
    exact: bool
    """False where the vehicles are drawn at random; N is then what is to be expected."""


def parse_depart(text: str, window: Window) -> Depart | None:
    """The departure that a route file names; None where it names none that SUMO knows."""
    if text in UNKNOWN:
        return Depart(window.begin_ms, given=False)
    if text == AT_BEGIN:
        return Depart(window.begin_ms)
    time_ms = _parse_ms(text)
    return None if time_ms is None else Depart(time_ms)


def flow_departures(flow: Mapping[str, str], window: Window) -> FlowDepartures:
    """The departures of the flow with those XML attributes.

    Raises:
        DemandError: an attribute that is missing, wrong, or does not go with another.
    """
    begin: Depart | None = Depart(window.begin_ms)
    if "begin" in flow:
        begin = parse_depart(flow["begin"], window)
    if begin is None:
        raise DemandError(f"begin={flow['begin']!r} is no time [s, or h:mm:ss]")
    rate = _the_rate(flow)
    number = _whole(flow, "number")
    if not begin.given:
        due_ms = np.full(_needed(number), begin.ms, dtype=np.int64)
        return FlowDepartures(begin, begin.ms, due_ms, exact=False)
    end_ms = _time(flow, "end", window.end_ms)
    if end_ms < begin.ms:
        raise DemandError(f"it ends at {end_ms / 1000:g} s, before it begins")
    per_s = _expected_rate(flow, rate)
    if per_s is not None:
        # A probability holds in each second of the simulation, so nothing is drawn before.
        first_ms = max(begin.ms, window.begin_ms) if rate == "probability" else begin.ms
        gap_ms = 1000 / per_s
        if number is not None:
            end_ms = first_ms + round(number * gap_ms)
        return FlowDepartures(begin, end_ms, _random(first_ms, end_ms, gap_ms, window), exact=False)
    if number == 0:
        return FlowDepartures(begin, begin.ms, np.empty(0, dtype=np.int64), exact=True)
    period_ms = _period_ms(flow, rate, end_ms - begin.ms, number)
    if number is None:
        number = -(-(end_ms - begin.ms) // period_ms)
    last_ms = begin.ms + max(number - 1, 0) * period_ms
    return FlowDepartures(begin, last_ms, _regular(begin.ms, period_ms, number, window), exact=True)


def _regular(begin_ms: int, period_ms: int, number: int, window: Window) -> IntArray:
    """(N,) one vehicle each period [ms], as many as fall into the window."""
    if not period_ms:
        inside = window.begin_ms <= begin_ms <= window.last_step_ms
        return np.full(number if inside else 0, begin_ms, dtype=np.int64)
    low = max(0, -((begin_ms - window.begin_ms) // period_ms))
    high = min(number, (window.last_step_ms - begin_ms) // period_ms + 1)
    return begin_ms + np.arange(low, max(low, high), dtype=np.int64) * period_ms


def _random(begin_ms: int, end_ms: int, gap_ms: float, window: Window) -> IntArray:
    """(N,) as many as are to be expected, evenly spaced [ms]: each in the middle of its gap."""
    low = max(0, math.ceil((window.begin_ms - begin_ms) / gap_ms - 0.5))
    high = max(low, math.ceil((min(end_ms, window.end_ms) - begin_ms) / gap_ms - 0.5))
    since_ms = (np.arange(low, high) + 0.5) * gap_ms
    return begin_ms + since_ms.astype(np.int64)


def _the_rate(flow: Mapping[str, str]) -> str | None:
    """The one attribute that says how often, or None where number and times do."""
    given = [name for name in RATES if name in flow]
    if len(given) > 1:
        raise DemandError(f"{given[0]} and {given[1]} do not go together")
    if given and "end" in flow and "number" in flow:
        raise DemandError(f"{given[0]}, end and number do not go together: leave out one")
    if not given and "number" not in flow:
        raise DemandError(f"it says not how many vehicles: one of {', '.join(RATES)}, number")
    return given[0] if given else None


def _expected_rate(flow: Mapping[str, str], rate: str | None) -> float | None:
    """Vehicles a second of a flow that is drawn at random; None for any other."""
    if rate == "probability":
        return _positive(flow[rate], "probability", at_most=1.0)
    if rate == "period" and (drawn := re.fullmatch(r"exp\((.*)\)", flow[rate])):
        return _positive(drawn[1], "the rate of period=exp(...)")
    return None


def _period_ms(
    flow: Mapping[str, str], rate: str | None, length_ms: int, number: int | None
) -> int:
    if rate is None:
        return length_ms // _needed(number)
    if rate == "period":
        period_ms = _time(flow, rate, 0)
    else:
        period_ms = int(3_600_000 / _positive(flow[rate], rate) + 0.5)
    if period_ms < 1:
        raise DemandError(f"{rate}={flow[rate]!r} leaves no millisecond from vehicle to vehicle")
    return period_ms


def _time(flow: Mapping[str, str], name: str, default_ms: int) -> int:
    if name not in flow:
        return default_ms
    time_ms = _parse_ms(flow[name])
    if time_ms is None:
        raise DemandError(f"{name}={flow[name]!r} is no time [s, or h:mm:ss]")
    return time_ms


def _parse_ms(text: str) -> int | None:
    """Whole milliseconds >= 0 of "12.5", "1:02:03" or "1:02:03:04" (days first)."""
    parts = text.split(":")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    seconds = SECONDS.get(len(parts))
    if seconds is None or not all(0 <= value < 1e12 for value in values):
        return None
    return int(sum(a * b for a, b in zip(seconds, values, strict=True)) * 1000 + 0.5)


def _positive(text: str, name: str, *, at_most: float = math.inf) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value <= at_most and math.isfinite(value)):
        limit = f" and at most {at_most:g}" if at_most < math.inf else ""
        raise DemandError(f"{name} must be a number above 0{limit}, got {text!r}")
    return value


def _whole(flow: Mapping[str, str], name: str) -> int | None:
    text = flow.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise DemandError(f"{name} must be a whole number from 0, got {text!r}")
    return int(text)


def _needed(number: int | None) -> int:
    if number is None:
        raise DemandError("it says not how many vehicles: number")
    return number
