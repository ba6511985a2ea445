"""The table of a section as plain text cells, for every kind of page."""

from collections.abc import Callable
from dataclasses import dataclass

from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.statistics import GRIDLOCK
from trafficrl.evaluation.tables import ONE_SEED, number

__all__ = ["Row", "TableText", "more_text", "table_text"]

SHOWN = (
    "waiting_time_s",
    "queue_veh",
    "arrived",
    "travel_time_s",
    "stops_per_veh",
    "co2_g",
    "teleports",
    "emergency_brakings",
)
"""Metrics after the delay."""
MORE = (
    "depart_delay_s",
    "throughput_vph",
    "fuel_g",
    "distance_m",
    "arrived_duration_s",
    "collisions",
)
"""Those of the second table."""
Column = tuple[str, Callable[[str], str]]
"""Heading, and the cell of a controller."""


@dataclass(frozen=True, slots=True)
class Row:
    """One controller."""

    name: str
    cells: tuple[str, ...]
    diverged: bool = False
    baseline: bool = False
    best: bool = False


@dataclass(frozen=True, slots=True)
class TableText:
    """A table and what must be read with it."""

    columns: tuple[str, ...]
    """After the first, which names the controller."""
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def table_text(comparison: Comparison) -> TableText:
    """All controllers by delay, each beside the baseline."""
    columns = _columns(comparison)
    rows = tuple(
        Row(
            name,
            tuple(cell(name) for _, cell in columns),
            bool(comparison.num_diverged(name)),
            name == comparison.baseline,
        )
        for name in comparison.by_delay
    )
    return TableText(tuple(title for title, _ in columns), rows, tuple(_notes(comparison)))


def more_text(comparison: Comparison) -> TableText:
    """What else was measured, in the same order of controllers."""
    shown = [metric for metric in MORE if metric in comparison.metrics]
    cells = [_cell(comparison, metric) for metric in shown]
    rows = tuple(
        Row(name, tuple(cell(name) for cell in cells), baseline=name == comparison.baseline)
        for name in comparison.by_delay
    )
    return TableText(tuple(_heading(comparison, metric) for metric in shown), rows, ())


def _columns(comparison: Comparison) -> list[Column]:
    found: list[Column] = [
        ("delay [s]", lambda name: number(comparison.mean(name, "delay_s"))),
        (
            "delay, middle half [s]",
            lambda name: number(comparison.interquartile_mean(name, "delay_s")),
        ),
    ]
    if len(comparison.controllers) > 1:
        found += _differences(comparison)
    found += [
        (_heading(comparison, metric), _cell(comparison, metric))
        for metric in SHOWN
        if metric in comparison.metrics
    ]
    if any(map(comparison.num_diverged, comparison.controllers)):
        found.append(("diverged", lambda name: _diverged(comparison, name)))
    return found


def _differences(comparison: Comparison) -> list[Column]:
    level = f"{comparison.confidence:.0%}"
    found: list[Column] = [("difference [s]", lambda name: _difference(comparison, name)[0])]
    if comparison.has_intervals:
        found.append((f"{level} interval [s]", lambda name: _difference(comparison, name)[1]))
    return found


def _heading(comparison: Comparison, metric: str) -> str:
    known = METRICS[metric]
    unit = f" [{known.unit}]" if known.unit else ""
    if metric == "arrived":
        unit = f" of {comparison.mean(comparison.baseline, 'scheduled'):.0f} [veh]"
    mark = "*" if known.needs_completion and comparison.completion_differs else ""
    return f"{known.title}{unit}{mark}"


def _cell(comparison: Comparison, metric: str) -> Callable[[str], str]:
    return lambda name: number(comparison.mean(name, metric))


def _difference(comparison: Comparison, name: str) -> tuple[str, str]:
    if name == comparison.baseline:
        return "baseline", ""
    found = comparison.difference(name, "delay_s")
    mean = number(found.mean, sign="+")
    if found.low is None or found.high is None:
        return mean, ""
    return mean, f"{number(found.low, sign='+')} to {number(found.high, sign='+')}"


def _diverged(comparison: Comparison, name: str) -> str:
    count = comparison.num_diverged(name)
    return f"{count} of {comparison.num_episodes(name)}"


def _notes(comparison: Comparison) -> list[str]:
    episodes = comparison.num_episodes(comparison.baseline)
    notes = [
        f"Means over {episodes} test episode{'s' * (episodes != 1)} and, in each, over all "
        "scheduled vehicles: delay is time loss + depart delay, and a vehicle that was never let "
        "in has lost all its time since it was due. One that is due and not let in waits, and is "
        "in the queue. Sorted by delay.",
        "Middle half: interquartile mean, which a few odd episodes do not move.",
    ]
    if len(comparison.controllers) > 1:
        notes.append(
            f"Difference: controller minus {comparison.baseline} on the same episodes"
            + (
                f", with its {comparison.confidence:.0%} bootstrap interval; an interval without 0 "
                "tells the two apart."
                if comparison.has_intervals
                else f". {ONE_SEED}."
            )
        )
    if any(map(comparison.num_diverged, comparison.controllers)):
        notes.append(f"Diverged: ended in gridlock ({GRIDLOCK}). Such a mean says little.")
    else:
        notes.append(f"No episode diverged (in gridlock: {GRIDLOCK}).")
    if comparison.completion_differs:
        notes.append(
            "* ranks nothing here: not as many vehicles arrived under all controllers, and what "
            "is left of the others' trips is not in it."
        )
    return notes
