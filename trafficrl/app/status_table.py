"""The states of runs for people: a line for each, as plain text or as a table that fits a terminal.

A column is a heading and a function of a row; one that has nothing to say is left out, and on a
narrow terminal those that matter least.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.cells import cell_len
from rich.console import Group, JustifyMethod
from rich.table import Table
from rich.text import Text

from trafficrl.app.amounts import duration_text, size_text
from trafficrl.runs.conditions import Condition, RunState
from trafficrl.runs.usage import Usage

__all__ = ["Row", "cells_of", "percent_done", "plain_lines", "summary", "terminal_table"]


@dataclass(frozen=True, slots=True)
class Row:
    """What one line is made from."""

    run: RunState
    usage: Usage | None
    """None unless the run lives on this host."""
    now: datetime


def percent_done(run: RunState) -> float | None:
    """Share of the steps that are done [%]."""
    if run.timesteps is None or not run.total_timesteps:
        return None
    return 100.0 * run.timesteps / run.total_timesteps


def _progress(row: Row) -> str:
    percent = percent_done(row.run)
    if percent is None:
        return "" if row.run.timesteps is None else str(row.run.timesteps)
    return f"{row.run.timesteps}/{row.run.total_timesteps} {int(percent):3d}%"


def _left(row: Row) -> str:
    running = row.run.condition in {Condition.running, Condition.elsewhere}
    return duration_text(row.run.eta_s) if running and row.run.eta_s is not None else ""


def _gpu(row: Row) -> str:
    if row.usage is None:
        return ""
    percent, size_bytes = row.usage.gpu_percent, row.usage.gpu_memory_bytes
    parts = [
        "" if percent is None else f"{percent:.0f}%",
        "" if size_bytes is None else size_text(size_bytes),
    ]
    return " ".join(filter(None, parts))


COLUMNS: dict[str, Callable[[Row], str]] = {
    "run": lambda row: row.run.name,
    "state": lambda row: row.run.condition.value,
    "job": lambda row: row.run.job or "",
    "steps": _progress,
    "steps/s": lambda row: _number(row.run.steps_per_s),
    "left": _left,
    "last": lambda row: _number(row.run.last_score),
    "best": lambda row: _number(row.run.best_score),
    "crashes": lambda row: _count(row.run.crashes),
    "saved": lambda row: _age(row.run.last_checkpoint, row.now),
    "resumes": lambda row: _count(row.run.resumes),
    "CPU": lambda row: "" if row.usage is None else f"{row.usage.cpu_percent:.0f}%",
    "memory": lambda row: "" if row.usage is None else size_text(row.usage.memory_bytes),
    "GPU": _gpu,
    "updated": lambda row: _age(row.run.updated, row.now),
    "note": lambda row: row.run.note,
}
"""Heading -> cell."""
LEFT_OUT_FIRST = (
    *("resumes", "memory", "CPU", "GPU", "updated", "saved", "last", "crashes", "left", "best"),
    *("steps/s", "job"),
)
"""The columns that a narrow terminal can do without."""
LEFT_ALIGNED = {"run", "state", "job", "note"}
NAME_WIDTH = 28
"""On a terminal; the end of a longer name tells runs apart."""
NOTE_WIDTH = 20
"""A terminal that cannot show so much of a note loses other columns for it."""
GAP = 2
STYLES = {
    Condition.running: "green",
    Condition.elsewhere: "cyan",
    Condition.silent: "yellow",
    Condition.gone: "red",
    Condition.lost: "red",
    Condition.failed: "red",
    Condition.cancelled: "red",
    Condition.damaged: "red",
    Condition.unknown: "yellow",
    Condition.pending: "cyan",
    Condition.submitted: "cyan",
}


def summary(runs: Sequence[RunState]) -> str:
    """How many there are of each kind."""
    counts = Counter(run.condition for run in runs)
    kinds = ", ".join(f"{counts[kind]} {kind.value}" for kind in Condition if counts[kind])
    return f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}" + (f": {kinds}" if kinds else "")


def plain_lines(rows: Sequence[Row], trouble: str = "") -> list[str]:
    """Headings, a line for each run, nothing cut off, how many there are, and what is missing."""
    cells = cells_of(rows)
    columns = []
    for heading, texts in cells.items():
        width = _width(heading, cells)
        aligned = str.ljust if heading in LEFT_ALIGNED else str.rjust
        columns.append([aligned(text, width) for text in (heading, *texts)])
    lines = [(" " * GAP).join(line).rstrip() for line in zip(*columns, strict=True)]
    total = summary([row.run for row in rows])
    return [*(lines if rows else []), total, *([trouble] if trouble else [])]


def terminal_table(rows: Sequence[Row], trouble: str, width: int, height: int | None) -> Group:
    """A table that fits a terminal of that many columns, and lines if it must."""
    # Besides the runs there are two lines of headings, one above, one below, and the cursor's.
    shown = rows if height is None else rows[: max(height - 5, 1)]
    cells = cells_of(shown)
    cells["run"] = [_end_of(name, NAME_WIDTH) for name in cells["run"]]
    left_out = _narrow(cells, width)
    # The box itself puts one blank between two columns.
    padding = (0, GAP - 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=padding, pad_edge=False)
    for heading in cells:
        aligned: JustifyMethod = "left" if heading in LEFT_ALIGNED else "right"
        table.add_column(heading, justify=aligned, no_wrap=True)
    for i, row in enumerate(shown):
        style = STYLES.get(row.run.condition, "")
        table.add_row(
            *(
                Text(cells[heading][i], style=style if heading == "state" else "")
                for heading in cells
            )
        )
    below = [f"… {len(rows) - len(shown)} more"] if len(shown) < len(rows) else []
    below += [f"too narrow for: {', '.join(left_out)}"] if left_out else []
    below += [trouble] if trouble else []
    total = _line(summary([row.run for row in rows]), "bold")
    return Group(total, *([table] if rows else []), _line("; ".join(below), "dim"))


def _line(text: str, style: str) -> Text:
    return Text(text, style=style, overflow="ellipsis", no_wrap=True)


def cells_of(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Heading -> a cell for each row; columns that are blank all the way down are left out."""
    cells = {heading: [show(row) for row in rows] for heading, show in COLUMNS.items()}
    return {heading: texts for heading, texts in cells.items() if any(texts) or heading == "run"}


def _narrow(cells: dict[str, list[str]], width: int) -> list[str]:
    """Takes columns out until the others fit, then cuts the notes; which ones is returned."""
    left_out = []
    for heading in LEFT_OUT_FIRST:
        note = min(_width("note", cells), NOTE_WIDTH) if "note" in cells else 0
        if _width_without_note(cells) + note <= width:
            break
        if cells.pop(heading, None) is not None:
            left_out.append(heading)
    if "note" in cells:
        room = max(width - _width_without_note(cells), NOTE_WIDTH)
        cells["note"] = [
            note if len(note) <= room else note[: room - 1] + "…" for note in cells["note"]
        ]
    return left_out


def _width_without_note(cells: dict[str, list[str]]) -> int:
    """Of all columns but the note, and of the gap behind each."""
    return sum(_width(heading, cells) + GAP for heading in cells if heading != "note")


def _width(heading: str, cells: dict[str, list[str]]) -> int:
    return max(map(cell_len, (heading, *cells[heading])))


def _end_of(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[1 - width :]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _age(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    return duration_text(max((now - moment).total_seconds(), 0.0))  # clocks of hosts differ
