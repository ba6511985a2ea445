"""A legacy experiment as values of ours, and for each of its keys what became of it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from trafficrl.config.legacy.city_keys import SEEDS
from trafficrl.config.legacy.given import Given, in_scenario, read, slug
from trafficrl.config.legacy.keys import UNSAID, LegacyKey, Moved, Run
from trafficrl.config.legacy.outcomes import Fate, Migration, Outcome, Setting
from trafficrl.config.legacy.reading import Entry, Legacy
from trafficrl.config.legacy.run_keys import FILE_KEYS, REWARD_FUNCTIONS
from trafficrl.config.legacy.table import KEYS, NAMES, SECTIONS
from trafficrl.config.legacy.unsaid import environments, fitted, unsaid
from trafficrl.config.legacy.values import shown
from trafficrl.errors import ConfigError

__all__ = ["migrate"]

BASES = {"network": "grid6_realistic", "algorithm": "ppo_default", "execution": "long_run"}
"""Group -> the member whose values count where neither the file nor the earlier program has any."""

FOR_ALL = "holds for all scenarios, which share it"


def migrate(legacy: Legacy) -> Migration:
    """What the experiment is here.

    Raises:
        ConfigError: a value that is of another kind or asks for what there is not, keys that
            contradict each other, or none that the earlier program had.
    """
    given = Given(legacy)
    mover = _Mover(given)
    for key in KEYS:
        mover.move(key)
    rest = list(_rest(legacy))
    _refuse_foreign(legacy, rest)
    settings = {group: Setting(member) for group, member in BASES.items()} | mover.settings
    settings |= fitted(given, settings) | unsaid(given, settings)
    return Migration(
        name=slug(given.name),
        description=str(given.value("description", "")),
        legacy=legacy,
        settings=settings,
        scenarios=tuple(given.scenarios),
        outcomes=(*mover.outcomes, *rest),
    )


def _refuse_foreign(legacy: Legacy, rest: Iterable[Outcome]) -> None:
    """A file of something else would become an experiment of nothing but defaults."""
    entries = [*legacy.entries, *(entry for own in legacy.scenarios for entry in own)]
    if any(entry.known for entry in entries):
        return
    first = next((one for one in rest if one.fate is Fate.unknown), None)
    if first is None:
        raise ConfigError(f"{legacy.name} holds no key of the earlier program")
    others = f"; nor is any other of its {len(entries)} keys" if len(entries) > 1 else ""
    raise ConfigError(f"{first.entry.place}: {first.entry.path}: {first.why}{others}")


class _Mover:
    """Moves one key after the other."""

    def __init__(self, given: Given) -> None:
        self.settings: dict[str, Setting] = {}
        self.outcomes: list[Outcome] = []
        self._given = given
        self._seeded = given.value("seed") is not None
        self._run = Run(
            envs=environments(given),
            reward=given.value("reward_function", REWARD_FUNCTIONS[0]),
            folder=Path(),
        )

    def move(self, key: LegacyKey) -> None:
        """All that is said of the key has its outcome."""
        if in_scenario(key):
            for entry, scenarios in self._given.by_scenario(key):
                self._settle(key, entry, scenarios)
        elif key in FILE_KEYS:  # each file its own, and each scenario
            for entry in self._given.wherever(key):
                self._settle(key, entry, [])
        else:
            said: Sequence[Entry | None] = self._given.everywhere(key) or [None]
            why = FOR_ALL if self._given.spreads(key) else ""
            for entry in said:
                self._settle(key, entry, self._given.scenarios, why)

    def _settle(
        self, key: LegacyKey, entry: Entry | None, scenarios: list[str], more: str = ""
    ) -> None:
        if entry is not None and key.name in SEEDS and self._seeded:
            self._note(entry, Fate.dropped, why="seed overrules it, as it did")
            return
        if entry is None or entry.value is None:
            if entry is not None:
                self._note(entry, Fate.dropped, why="it says nothing")
            if key.default is not UNSAID:
                moved = key.moved(key.default, self._run)
                why = moved.why or ("" if key.moves else key.remark(key.default))
                self._set(spread(moved, scenarios), None, why)
            return
        if in_scenario(key) and not scenarios:
            self._note(entry, Fate.overlaid, why="each scenario says it itself")
            return
        value = read(key, entry)
        try:
            moved = key.moved(value, replace(self._run, folder=entry.folder))
        except ValueError as error:
            raise ConfigError(f"{entry.place}: {entry.path}: {error}") from error
        settings = spread(moved, scenarios)
        self._set(settings, entry)
        why = "; ".join(part for part in (moved.why, more if key.to else "") if part)
        changed = any(shown(one) != shown(value) for one in settings.values()) or why
        fate = Fate.dropped if not key.to else Fate.changed if changed else Fate.kept
        # What a key of its own way tells is how its value changes.
        told = key.remark(value) if fate is not Fate.kept or key.moves is None else ""
        self._note(entry, fate, settings, why or told)

    def _set(self, settings: Mapping[str, Any], entry: Entry | None, why: str = "") -> None:
        for name, value in settings.items():
            self.settings[name] = Setting(value, entry, why)

    def _note(
        self, entry: Entry, fate: Fate, settings: Mapping[str, Any] | None = None, why: str = ""
    ) -> None:
        self.outcomes.append(Outcome(entry, fate, settings or {}, why))


def spread(moved: Moved, scenarios: Iterable[str]) -> dict[str, Any]:
    """The settings, those of a scenario under the name of each of these."""
    return {
        name.replace("*", scenario): value
        for name, value in moved.settings.items()
        for scenario in (scenarios if "*" in name else [""])
    }


def _instead(entry: Entry, over: Entry) -> str:
    """What a later file says in its place: of a list or a section perhaps nothing."""
    whole = re.split(r"[.[]", entry.path, maxsplit=1)[0]
    same = over.known is entry.known if entry.known else over.path == entry.path
    if entry.path.startswith("scenarios[") or not same:
        return f"{whole} is said anew in {over.place}"
    return f"{over.place} says {shown(over.value)}"


def _rest(legacy: Legacy) -> Iterator[Outcome]:
    """What is overlaid, says nothing, or is no known key."""
    for entry, over in legacy.overlaid:
        yield Outcome(entry, Fate.overlaid, why=_instead(entry, over))
    for entry in legacy.skipped:
        yield Outcome(entry, Fate.dropped, why="they belong to no option")
    for entry in (*legacy.entries, *(one for own in legacy.scenarios for one in own)):
        if entry.known is not None:
            continue
        name = entry.path.rpartition(".")[2]
        if name in SECTIONS and not entry.value:
            yield Outcome(entry, Fate.dropped, why="it says nothing")
            continue
        if name in SECTIONS:
            raise ConfigError(
                f"{entry.place}: {entry.path} must be a mapping, got {shown(entry.value)}"
            )
        near = get_close_matches(name.replace("-", "_"), NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield Outcome(entry, Fate.unknown, why=f"no key of the earlier program{hint}")
