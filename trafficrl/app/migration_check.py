"""A migrated experiment as Hydra composes it: is it sound, and where is it other than it was?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from trafficrl.app.compose import compose_experiment
from trafficrl.config.departure_patterns import parse_departure_pattern
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.legacy.outcomes import Fate, Migration
from trafficrl.config.legacy.table import UNSPOKEN
from trafficrl.config.legacy.values import shown
from trafficrl.config.legacy.writing import experiment_file
from trafficrl.config.load import plain_values
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.config.store import GROUPS
from trafficrl.demand.departures import build_departures
from trafficrl.errors import ConfigError, DemandError

__all__ = ["Difference", "check", "differences"]

KEPT_BUT = "kept, but"
NOT_SAID = "not said"
WAS = "was so"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is other than it was, or that means something else."""

    kind: str
    """A `Fate`, or one of those that `--check` alone tells: `KEPT_BUT`, `NOT_SAID`, `WAS`."""
    source: str
    """`FILE:LINE`; empty where no file says it."""
    old: str
    """Key and value then."""
    new: str
    """Keys and values here; empty where there is none."""
    why: str

    def __str__(self) -> str:
        change = " -> ".join(part for part in (self.old, self.new) if part)
        words = " ".join(part for part in (self.source, change) if part)
        return f"{self.kind:<10}{words}{f': {self.why}' if self.why else ''}"


def check(migration: Migration) -> ExperimentConfig:
    """The experiment of the file that the migration would be, composed from it and checked.

    Raises:
        ConfigError: it fails a check; the message names the old key too, where one is at fault.
    """
    with TemporaryDirectory(prefix="trafficrl-migrate-") as folder:
        name = f"migrated-{uuid4().hex}"  # a member of that name in conf/ would be found first
        file = Path(folder, "experiment", f"{name}.yaml")
        file.parent.mkdir()
        file.write_text(experiment_file(migration), encoding="utf-8")
        try:
            words = [f"hydra.searchpath=[file://{folder}]", f"experiment={name}"]
            config = compose_experiment(words)
            _check_departures(config)
        except ConfigError as error:
            raise ConfigError(f"{_at_fault(migration, str(error))}{error}") from error
    return config


def _check_departures(config: ExperimentConfig) -> None:
    """Whether patterns fit the episode is else only found when the demand is built."""
    for name, scenario in config.scenarios.items():
        if not isinstance(scenario, GeneratedScenarioConfig):
            continue
        pattern = parse_departure_pattern("departure_pattern", scenario.departure_pattern)
        start_hour, end_s = scenario.start_time_hour, config.execution.end_time
        try:
            build_departures(pattern, scenario.num_vehicles, start_hour=start_hour, end_s=end_s)
        except DemandError as error:
            raise ConfigError(f"scenarios.{name}.{error}") from error


def _at_fault(migration: Migration, message: str) -> str:
    """The old key whose value came to the key that the message begins with."""
    named = message.split(maxsplit=1)[0].rstrip(":")
    for key, setting in migration.settings.items():
        if setting.entry and (named == key or named.startswith(f"{key}.")):
            entry = setting.entry
            return f"{entry.place}: {entry.path} {shown(entry.value)}: "
    return f"{migration.legacy.name}: "


def differences(migration: Migration, config: ExperimentConfig) -> list[Difference]:
    """Every key that did not keep its value or its meaning, and what no key said.

    Args:
        migration: what was migrated.
        config: what `check` made of it.
    """
    values = plain_values(config)
    return [*_of_keys(migration, values), *_of_silence(migration, values)]


def _of_keys(migration: Migration, values: Any) -> Iterator[Difference]:
    for one in migration.outcomes:
        old = f"{one.entry.path} {shown(one.entry.value)}"
        new = [f"{key} {_composed(values, key, setting)}" for key, setting in one.settings.items()]
        same = all(
            _composed(values, key, setting) == shown(setting)
            for key, setting in one.settings.items()
        )
        if one.fate is not Fate.kept or one.why or not same:
            kind = KEPT_BUT if one.fate is Fate.kept else one.fate.value
            yield Difference(kind, one.entry.place, old, ", ".join(new), one.why)


def _of_silence(migration: Migration, values: Any) -> Iterator[Difference]:
    for key, setting in migration.settings.items():
        if setting.why and (setting.entry is None or key == "execution.eval_freq"):
            new = f"{key} {_composed(values, key, setting.value)}"
            yield Difference(NOT_SAID, "", "", new, setting.why)
    for one in UNSPOKEN:
        for key in _expanded(one.key, migration):
            new = shown(_lookup(values, key))
            if new != one.then:
                yield Difference(WAS, "", f"{key} {one.then}", new, one.why)


def _expanded(key: str, migration: Migration) -> list[str]:
    return [key.replace("*", name) for name in migration.scenarios] if "*" in key else [key]


def _composed(values: Any, key: str, setting: Any) -> str:
    """The value of a key as the whole configuration has it, written as legacy files do."""
    if key in GROUPS:
        return shown(setting)
    found = _lookup(values, key)
    if isinstance(found, dict) and isinstance(setting, str):  # shares
        asked = setting.split()
        shares = {name: float(share) for name, share in found.items() if share}
        given = dict(zip(asked[::2], map(float, asked[1::2]), strict=True))
        return setting if shares == {n: s for n, s in given.items() if s} else shown(shares)
    return shown(found)


def _lookup(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values
