"""The table on the terminal, and the file that keeps all of it."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bench.compare import Row
from trafficrl.files import save_text
from trafficrl.runs.provenance import git_commit, package_versions

__all__ = ["machine", "print_rows", "save_rows", "save_values"]

HEAD = ("", "case", "what", "value", "wall", "target", "met", "")


def machine() -> dict[str, Any]:
    """What the values were measured on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": os.getloadavg(),
        "system": platform.platform(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def print_rows(rows: Sequence[Row]) -> None:
    """A plain table."""
    table = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(HEAD))]
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)))


def _cells(row: Row) -> tuple[str, ...]:
    target = "" if row.target is None else str(row.target)
    met = "" if row.target is None else ("yes" if row.target.met(row.value) else "NO")
    wall = "" if row.wall is None else f"{row.wall:.2f} x"
    value = f"{row.value:.4g} {row.unit}" if row.unit != "x" else f"{row.value:.2f} x"
    return (row.measure, row.case, row.what, value, wall, target, met, row.note)


def save_rows(rows: Sequence[Row], folder: Path, options: dict[str, Any]) -> Path:
    """The file that holds every value."""
    kept = [
        asdict(row) | {"met": None if row.target is None else row.target.met(row.value)}
        for row in rows
    ]
    return save_values({"options": options, "rows": kept}, folder)


def save_values(values: dict[str, Any], folder: Path, *, kind: str = "") -> Path:
    """The file, named by the moment, that holds them, and what they were measured on and with.

    Args:
        values: anything that JSON can hold.
        folder: where the file goes.
        kind: of the values, for the file's name.
    """
    file = folder / f"{datetime.now():%Y-%m-%d_%H-%M-%S}{kind and '-'}{kind}.json"
    content = {
        "machine": machine(),
        "versions": package_versions() | {"sumo-rl": _peer_version()},
        "git_commit": git_commit(),
        **values,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_text(file, json.dumps(content, indent=1) + "\n")
    return file


def _peer_version() -> str:
    try:
        return version("sumo-rl")
    except PackageNotFoundError:
        return "not installed"
