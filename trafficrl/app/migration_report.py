"""What a migration prints: one experiment key by key, or many in a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from trafficrl.app.migration_check import Difference
from trafficrl.config.legacy.outcomes import Fate, Migration

__all__ = ["Row", "print_differences", "print_table"]

LEAST_WIDTH = 120
"""Where output goes to a file, rich would take 80 and cut names."""
LOUD_FIRST = ["unknown", "changed", "dropped", "overlaid"]


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment of many."""

    source: str
    state: str
    """What became of it."""
    migration: Migration | None = None
    """None where it was refused."""
    file: Path | None = None
    """Where it was written to."""


def print_differences(
    migration: Migration, found: Sequence[Difference], *, everything: bool
) -> None:
    """How many keys there are, and each that did not keep its value.

    Args:
        migration: what was migrated.
        found: its differences.
        everything: also those that no key is at fault for, and what means something else now.
    """
    counts = ", ".join(f"{len(migration.fates(fate))} {fate.value}" for fate in _fates(migration))
    legacy = migration.legacy
    print(f"{migration.name} ({legacy.format}): {len(migration.outcomes)} keys: {counts}")
    for kind in LOUD_FIRST:
        for one in found:
            if one.kind == kind:
                print(one)
    if everything:
        for one in found:
            if one.kind not in LOUD_FIRST:
                print(one)


def print_table(rows: Sequence[Row]) -> None:
    """A line for each experiment, and below it why some were refused."""
    migrations = [row.migration for row in rows if row.migration is not None]
    fates = [fate for fate in Fate if any(one.fates(fate) for one in migrations)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("legacy", "format", "experiment"):
        table.add_column(heading, overflow="fold")
    for fate in fates:
        table.add_column(fate.value, justify="right")
    table.add_column("state")
    for row in rows:
        found = row.migration
        if found is None:
            table.add_row(row.source, "", "", *("" for _ in fates), "refused")
        else:
            counts = [str(len(found.fates(fate)) or "") for fate in fates]
            table.add_row(row.source, found.legacy.format, found.name, *counts, row.state)
    width = max(LEAST_WIDTH, Console().width)
    Console(markup=False, emoji=False, highlight=False, width=width).print(table)
    for row in rows:
        if row.migration is None:
            print(f"refused: {row.state}")


def _fates(migration: Migration) -> list[Fate]:
    return [fate for fate in Fate if migration.fates(fate) or fate is Fate.kept]
