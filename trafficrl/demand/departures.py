"""When vehicles depart: a pattern of windows as times within an episode.

Shapes: N vehicles, K pieces of the episode, each with one rate of departures.
A pattern becomes pieces that do not overlap; every piece gets its share of the vehicles to the
last one, evenly spaced, so that the lines of public transport keep an even headway in each.
Patterns of a day show an episode the part of the day that it simulates. The clock is not
squeezed into the episode: it is the same that chooses the land-use weights.
"""

import numpy as np
import numpy.typing as npt

from trafficrl.config.departure_patterns import (
    DAY_S,
    DeparturePattern,
    Span,
    Window,
    clock_text,
)
from trafficrl.demand.apportion import apportion
from trafficrl.errors import DemandError

__all__ = ["build_departures"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def build_departures(
    pattern: DeparturePattern, num_vehicles: int, *, start_hour: float, end_s: float
) -> IntArray:
    """(N,) departure times [s] of that pattern: whole seconds in 0..end_s, never falling.

    Args:
        pattern: what the user asked for.
        num_vehicles: all of them depart.
        start_hour: clock time of the first second [h].
        end_s: length of the episode [s].

    Raises:
        DemandError: a window lies outside the episode, or the episode has no departures at all.
    """
    build = _pieces_of_day if pattern.span is Span.day else _pieces_of_episode
    bounds_s, weight = build(pattern, round(start_hour * 3600, 3), end_s)
    counts = apportion(num_vehicles, weight)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    place = np.arange(num_vehicles) - first
    length_s = np.repeat(np.diff(bounds_s), counts)
    since_s = place * length_s / np.repeat(counts, counts)
    return np.floor(np.repeat(bounds_s[:-1], counts) + since_s).astype(np.int64)


def _pieces_of_episode(
    pattern: DeparturePattern, start_s: float, end_s: float
) -> tuple[FloatArray, FloatArray]:
    """(K+1,) bounds [s] and (K,) weights; the rest is shared by the gaps as they last."""
    windows = {_place(window, start_s, end_s): window.weight for window in pattern.windows}
    inner = {bound for window in windows for bound in window}
    bounds_s = np.array(sorted({0.0, end_s, *inner}))
    pieces = list(zip(bounds_s[:-1].tolist(), bounds_s[1:].tolist(), strict=True))
    gap_s = np.array([0.0 if piece in windows else piece[1] - piece[0] for piece in pieces])
    if pattern.rest > 1e-9 and not gap_s.any():
        raise DemandError(
            f"departure_pattern: {100 - pattern.rest:g} [%] depart within the windows of "
            f"{pattern.text!r}, which leave no time for the rest; let them sum to 100 [%]"
        )
    weight = np.array([windows.get(piece, 0.0) for piece in pieces])
    return bounds_s, weight + gap_s * (pattern.rest / (gap_s.sum() or 1.0))


def _place(window: Window, start_s: float, end_s: float) -> tuple[float, float]:
    """Begin and end of a window within the episode [s]: the first time that the clock shows it."""
    begin = round((window.from_s - start_s) % DAY_S, 3)
    end = round(begin + window.to_s - window.from_s, 3)
    if end > end_s:
        raise DemandError(
            f"departure_pattern: the window {window} does not lie within the episode, "
            f"{_episode(start_s, end_s)}"
        )
    return begin, end


def _pieces_of_day(
    pattern: DeparturePattern, start_s: float, end_s: float
) -> tuple[FloatArray, FloatArray]:
    """(K+1,) bounds [s] and (K,) weights of the part of the day, or days, that is simulated."""
    day_s, rate, named = _day_profile(pattern)
    days = np.arange(start_s // DAY_S, (start_s + end_s) // DAY_S + 1)
    bounds_s = np.append((days[:, None] * DAY_S + day_s[:-1]).ravel(), (days[-1] + 1) * DAY_S)
    bounds_s = np.clip(bounds_s - start_s, 0.0, end_s)
    seen_s = np.diff(bounds_s)
    weight = seen_s * np.tile(rate, len(days))
    if not (seen_s * np.tile(named, len(days))).any() or not weight.any():
        raise DemandError(
            f"departure_pattern: {pattern.text!r} says nothing about the episode, "
            f"{_episode(start_s, end_s)}"
        )
    return bounds_s, weight


def _day_profile(
    pattern: DeparturePattern,
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Bounds of the pieces of a day [s], the rate of each, and whether a window names it."""
    spans = [
        (begin, end, window.weight / (window.to_s - window.from_s))
        for window in pattern.windows
        for begin, end in window.within_day()
    ]
    inner = {bound for begin, end, _ in spans for bound in (begin, end)}
    bounds_s = np.array(sorted({0.0, DAY_S, *inner}))
    rate = np.zeros(len(bounds_s) - 1)
    named = np.zeros(len(rate), dtype=np.bool_)
    for begin, end, per_second in spans:
        within = (bounds_s[:-1] >= begin) & (bounds_s[1:] <= end)
        rate[within] += per_second
        named |= within
    rest_s = np.diff(bounds_s)[~named].sum()
    rate[~named] = pattern.rest / (rest_s or 1.0)
    return bounds_s, rate, named


def _episode(start_s: float, end_s: float) -> str:
    return f"{clock_text(start_s)} to {clock_text(start_s + end_s)} by start_time_hour and end_time"
