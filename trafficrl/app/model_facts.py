"""What is known of a model, for people and for scripts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from trafficrl.errors import CheckpointError
from trafficrl.runs.model_names import Registered
from trafficrl.runs.registry import ModelRegistry
from trafficrl.runs.sidecars import Sidecar

__all__ = ["NamedModel", "facts_of", "print_facts", "print_models", "read_models"]

LEAST_WIDTH = 100
"""Where output goes to a file, rich would take 80 and cut names."""
HASH_LETTERS = 8
PERIODS = (("d", 86_400), ("h", 3600), ("min", 60))


@dataclass(frozen=True, slots=True)
class NamedModel:
    """One line of the list."""

    model: str
    """`NAME@TAG`."""
    state: str
    """whole, damaged or missing."""
    problem: str | None = None
    file: str | None = None
    path: str | None = None
    """Where it lay when it got its name."""
    tagged: str | None = None
    timesteps: int | None = None
    score: float | None = None
    best_score: float | None = None
    config_hash: str | None = None


def read_models(registry: ModelRegistry) -> list[NamedModel]:
    """Every model that has a name, the broken ones too.

    Raises:
        RunError: the registry cannot be read.
    """
    return [_read_model(registry, label) for label in registry.labels()]


def print_models(models: Sequence[NamedModel], registry: ModelRegistry) -> None:
    """A table with a line for each model, and below it what is wrong with some."""
    if not models:
        print(f"no models have names in {registry.folder}")
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("model", "steps", "score", "best", "config", "age", "state"):
        right = heading in ("steps", "score", "best", "age")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for one in models:
        table.add_row(
            one.model,
            _shown(one.timesteps),
            _score(one.score),
            _score(one.best_score),
            (one.config_hash or "")[:HASH_LETTERS],
            _age(one.tagged) if one.tagged else "",
            one.state,
        )
    width = max(LEAST_WIDTH, Console().width)
    Console(markup=False, emoji=False, highlight=False, width=width).print(table)
    for one in models:
        if one.problem:
            print(f"{one.model}: {one.problem}")


def facts_of(
    file: Path, sidecar: Sidecar, entry: Registered | None, labels: Sequence[str]
) -> dict[str, Any]:
    """All that is known of a model, plain.

    Args:
        file: the model.
        sidecar: what stands beside it.
        entry: the name that it was asked for by, if any.
        labels: every name that it has.
    """
    named = {"tagged": entry.tagged, "path": entry.path} if entry else {}
    chain = [*(one.scenarios for one in sidecar.lineage), sidecar.scenarios]
    return {
        "model": entry.label if entry else str(file),
        "file": str(file),
        "names": list(labels),
        **named,
        **asdict(sidecar),
        "scenario_chain": [list(names) for names in chain],
    }


def print_facts(facts: dict[str, Any]) -> None:
    """The same for people."""
    rows = {
        "model": facts["model"],
        "file": f"{facts['file']} ({facts['size_bytes']} bytes)",
        "names": ", ".join(facts["names"]) or "none",
    }
    if "tagged" in facts:
        rows["tagged"] = f"{facts['tagged']}, from {facts['path']}"
    rows |= {
        "SHA-256": facts["sha256"],
        "steps": facts["timesteps"],
        "created": facts["created"],
        "score": f"{_score(facts['score'])} (best of its run: {_score(facts['best_score'])})",
        "config": facts["config_hash"],
        "network": facts["network_hash"],
        "run": facts["run"],
        "simulator": facts["simulator"],
        "scenarios": " -> ".join(", ".join(names) for names in facts["scenario_chain"]),
        "versions": ", ".join(f"{name} {one}" for name, one in facts["versions"].items()),
    }
    for number, one in enumerate(facts["lineage"], 1):
        rows[f"lineage {number}"] = (
            f"{one['run']} at {one['timesteps']} steps on {', '.join(one['scenarios'])}, "
            f"{one['simulator']} "
            f"({one['sha256'][:HASH_LETTERS]})"
        )
    for name, value in rows.items():
        print(f"{name:<10} {value}")


def _read_model(registry: ModelRegistry, label: str) -> NamedModel:
    try:
        entry = registry.load(*label.split("@"))
    except CheckpointError as error:
        return NamedModel(label, "damaged", str(error))
    one = NamedModel(label, "whole", file=str(entry.file), path=entry.path, tagged=entry.tagged)
    try:
        sidecar = entry.verify()
    except CheckpointError as error:
        state = "damaged" if entry.file.is_file() else "missing"
        return replace(one, state=state, problem=str(error))
    return replace(
        one,
        timesteps=sidecar.timesteps,
        score=sidecar.score,
        best_score=sidecar.best_score,
        config_hash=sidecar.config_hash,
    )


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _age(tagged: str) -> str:
    """How long ago, in its largest unit."""
    seconds = (datetime.now(timezone.utc) - datetime.fromisoformat(tagged)).total_seconds()
    for unit, length_s in PERIODS:
        if seconds >= length_s:
            return f"{seconds // length_s:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
