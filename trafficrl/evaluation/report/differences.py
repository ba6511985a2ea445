"""In what two runs were configured differently, told in a line."""

from collections.abc import Mapping, Sequence
from typing import Any

from trafficrl.evaluation.report.run_folder import JudgedRun, flat

__all__ = ["changes", "differing"]

MOST_NAMED = 6
"""Differences of two settings that are told; the rest is counted."""
MISSING = "nothing"


def differing(runs: Sequence[JudgedRun]) -> list[str]:
    """Why runs do not share a table, a line for each pair of the first with another."""
    lines = []
    first, *rest = runs
    for run in rest:
        for scenario in first.settings.keys() & run.settings.keys():
            found = changes(first.settings[scenario], run.settings[scenario])
            if found:
                lines.append(f"{scenario}: {run.name} differs from {first.name} in {found}")
    return sorted(lines)


def changes(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The keys in which the other is not as the one, with both values; empty if there are none."""
    values, others = flat(dict(one)), flat(dict(other))
    names = [
        name
        for name in {**values, **others}
        if values.get(name, MISSING) != others.get(name, MISSING)
    ]
    told = [
        f"{name} ({others.get(name, MISSING)} instead of {values.get(name, MISSING)})"
        for name in names[:MOST_NAMED]
    ]
    if len(names) > MOST_NAMED:
        told.append(f"{len(names) - MOST_NAMED} more")
    return ", ".join(told)
