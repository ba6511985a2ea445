"""Runs that differ in nothing but their seed are one group; what groups differ in has columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from trafficrl.evaluation.report.agreement import WHERE_AND_HOW
from trafficrl.evaluation.report.run_folder import flat
from trafficrl.evaluation.report.study_runs import StudyRun

__all__ = ["Group", "group_runs", "natural", "value_text"]

LEFT_OUT = ("seed", "provenance", "evaluation", "defaults")
"""What may differ within a group, beside where and how a run was carried out."""
MOST_NAMED = 3
"""Keys in the name of a group."""
LONGEST_NAME = 44
MISSING = "—"
FROM, BEFORE = "resume_from", "resumed run"


@dataclass(frozen=True, slots=True)
class Group:
    """Trainings of one configuration."""

    label: str
    """`A: learning_rate=0.001`; unique within its study."""
    values: Mapping[str, Any]
    """By full key, of those in which the groups differ."""
    runs: tuple[StudyRun, ...]

    @property
    def settings(self) -> str:
        """What decides the validation demand: scores of two settings are not to be ranked."""
        config = self.runs[0].config
        execution = config.get("execution", {})
        chosen = [config.get(key) for key in ("network", "scenarios", "simulation")]
        chosen += [execution.get(key) for key in ("end_time", "simulator", "validation_seeds")]
        return plain(chosen)


def group_runs(runs: Sequence[StudyRun]) -> list[Group]:
    """The groups, in the order of their first runs; runs whose configuration is not known yet are
    in none."""
    known = sorted((run for run in runs if run.config), key=lambda run: natural(run.name))
    folders = {run.state.folder.resolve(): run for run in known}
    kin: dict[str, list[StudyRun]] = {}
    deciding: dict[str, dict[str, Any]] = {}
    for run in known:
        values = decides(run, folders)
        key = plain(values)
        kin.setdefault(key, []).append(run)
        deciding[key] = values
    keys = differing_keys(deciding.values())
    found = []
    for index, (key, members) in enumerate(kin.items()):
        values = {name: deciding[key].get(name, MISSING) for name in keys}
        label = named(letters(index), values) if len(kin) > 1 else "policy"
        found.append(Group(label, values, tuple(members)))
    return found


def decides(run: StudyRun, folders: Mapping[Path, StudyRun]) -> dict[str, Any]:
    """Full key -> value, of all that decides a training beside its seed.

    A run that goes on from another of the study has its kin among those that go on from its kin.
    """
    left_out = (*LEFT_OUT, *(f"execution.{name}" for name in WHERE_AND_HOW))
    values = {
        key: value
        for key, value in flat(dict(run.config)).items()
        if not any(key == name or key.startswith(f"{name}.") for name in left_out)
    }
    before = earlier(run, folders)
    if before is not None:
        rows = decides(before, {path: one for path, one in folders.items() if one is not run})
        values[FROM] = f"a run on {', '.join(before.config.get('scenarios') or {})}"
        values[BEFORE] = sha256(plain(rows).encode()).hexdigest()
    return values


def earlier(run: StudyRun, folders: Mapping[Path, StudyRun]) -> StudyRun | None:
    """The run of the study with whose model this one begins, by the end of its path: nobody knows
    where the command was given."""
    told = run.config.get(FROM)
    if not isinstance(told, str):
        return None
    place = Path(told).parent if told.endswith(".zip") else Path(told)
    parts = tuple(part for part in place.parts if part not in (".", ".."))
    for folder, found in folders.items():
        if parts and found is not run and folder.parts[-len(parts) :] == parts:
            return found
    return None


def differing_keys(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys whose values are not the same in all rows."""
    known = list(rows)
    every = dict.fromkeys(key for row in known for key in row)
    return [
        key
        for key in every
        if key != BEFORE and len({plain(row.get(key, MISSING)) for row in known}) > 1
    ]


def named(letter: str, values: Mapping[str, Any]) -> str:
    """The letter, and as much of what makes the group as has room."""
    parts = [f"{key.rpartition('.')[2]}={value_text(value)}" for key, value in values.items()]
    told = ", ".join(parts[:MOST_NAMED]) + (", …" if len(parts) > MOST_NAMED else "")
    if len(told) > LONGEST_NAME:
        told = told[: LONGEST_NAME - 1] + "…"
    return f"{letter}: {told}" if told else letter


def value_text(value: Any) -> str:
    """A value of a configuration as one would write it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    return str(value)


def plain(value: Any) -> str:
    """Equal for equal values."""
    return json.dumps(value, sort_keys=True, default=str)


def letters(index: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    count = len(ascii_uppercase)
    rest = letters(index // count - 1) if index >= count else ""
    return rest + ascii_uppercase[index % count]


def natural(name: str) -> list[tuple[int, int, str]]:
    """Orders names as people do: 2 before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in Path(name).parts]
