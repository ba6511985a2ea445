"""The outcome of an evaluation for people: a table with a row for each controller."""

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich import box
from rich.console import Console
from rich.table import Table

from trafficrl.evaluation.metrics import METRICS
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.statistics import GRIDLOCK

__all__ = ["ONE_SEED", "number", "print_comparison"]

LEAST_WIDTH = 100
"""Where output goes to a file, rich would take 80 and cut numbers."""
NAME_WIDTH = 16
"""Where the name of a controller, which may be a path, goes on in the next line."""
HEADINGS = {
    "depart_delay_s": "depart\n[s]",
    "travel_time_s": "travel\n[s]",
    "waiting_time_s": "waiting\n[s]",
    "queue_veh": "queue\n[veh]",
    "stops_per_veh": "stops\n",
    "arrived": "arrived",
    "co2_g": "CO2\n[g]",
    "teleports": "tele-\nports",
    "emergency_brakings": "hard\nbrakes",
}
"""Metric -> heading."""
WHERE_IT_FITS = "depart_delay_s"
"""A part of the delay, which long names leave no room for."""
DIVERGED, UNRANKED = "!", "*"
ONE_SEED = "One test seed of a scenario tells nothing of chance: there are no intervals"


def print_comparison(comparison: Comparison, title: str) -> None:
    """A table for each scenario where there are several, one over all of them, each sorted by
    delay; then what to mind, and of two controllers which one is better."""
    width = max(LEAST_WIDTH, Console().width)
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    if len(comparison.scenarios) > 1:
        for name in comparison.scenarios:
            console.print(_fitting(comparison.of_scenario(name), f"{title}, {name}", console))
        title += ", all scenarios"
    console.print(_fitting(comparison, title, console))
    for line in _notes(comparison):
        console.print(line)
    if len(comparison.controllers) == 2:
        console.print(comparison.verdict(comparison.controllers[1]))


def _fitting(comparison: Comparison, title: str, console: Console) -> Table:
    shown = [metric for metric in HEADINGS if metric in comparison.metrics]
    table = _table(comparison, title, shown)
    unbound = console.options.update_width(10 * console.width)
    if console.measure(table, options=unbound).maximum > console.width:
        shown.remove(WHERE_IT_FITS)
    return _table(comparison, title, shown)


def _table(comparison: Comparison, title: str, shown: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    compared = len(comparison.controllers) > 1
    table.add_column("controller", no_wrap=True)
    for heading in ("delay\n[s]", *_difference_headings(comparison, compared)):
        table.add_column(heading, justify="right", no_wrap=True)
    for metric in shown:
        unranked = METRICS[metric].needs_completion and comparison.completion_differs
        mark = UNRANKED if unranked else ""
        heading = HEADINGS[metric] + mark
        if metric == "arrived":  # of as many under every controller
            heading += f"\nof {comparison.mean(comparison.baseline, 'scheduled'):.0f}"
        table.add_column(heading, justify="right", no_wrap=True)
    for name in comparison.by_delay:
        mark = f" {DIVERGED}" if comparison.num_diverged(name) else ""
        cells = ["\n".join(_broken(name + mark))]
        cells.append(number(comparison.mean(name, "delay_s")))
        cells += _difference_cells(comparison, name) if compared else []
        cells += [number(comparison.mean(name, metric)) for metric in shown]
        table.add_row(*cells)
    return table


def _broken(name: str) -> list[str]:
    """The name in lines, broken behind a separator where that will do."""
    lines = [""]
    for piece in re.split(r"(?<=[/_@ ])", name):
        for part in wrap(piece, NAME_WIDTH, drop_whitespace=False):
            if len(lines[-1] + part) > NAME_WIDTH:
                lines.append("")
            lines[-1] += part
    return lines


def _difference_headings(comparison: Comparison, compared: bool) -> list[str]:
    if not compared:
        return []
    interval = f"{comparison.confidence:.0%}\ninterval"
    return ["differ-\nence", *([interval] if comparison.has_intervals else [])]


def _difference_cells(comparison: Comparison, name: str) -> list[str]:
    if name == comparison.baseline:
        return ["", "baseline"] if comparison.has_intervals else ["baseline"]
    found = comparison.difference(name, "delay_s")
    if found.low is None or found.high is None:
        return [number(found.mean, sign="+")]
    return [
        number(found.mean, sign="+"),
        f"{number(found.low, sign='+')}..{number(found.high, sign='+')}",
    ]


def _notes(comparison: Comparison) -> Iterator[str]:
    """What a reader must know so as not to take the table for more than it says."""
    if comparison.completion_differs:
        yield (
            f"{UNRANKED} ranks nothing here: other shares of the vehicles arrived, and what is "
            "left is not in it"
        )
    if len(comparison.controllers) > 1 and not comparison.has_intervals:
        yield ONE_SEED
    for name in comparison.by_delay:
        count = comparison.num_diverged(name)
        if count:
            total = comparison.num_episodes(name)
            yield f"{DIVERGED} {name}: gridlock in {count} of {total} episodes"
    if any(map(comparison.num_diverged, comparison.controllers)):
        yield from wrap(f"({GRIDLOCK})", LEAST_WIDTH, initial_indent="  ", subsequent_indent="   ")


def number(value: float, *, sign: str = "") -> str:
    """As many digits as can matter: results.json has them all."""
    return f"{value:{sign}.{1 if abs(value) < 99.95 else 0}f}"
