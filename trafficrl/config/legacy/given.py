"""What a legacy experiment says, key by key: for the whole run, or for one scenario of it."""

import re
from collections.abc import Iterator
from typing import Any

from trafficrl.config.legacy.keys import LegacyKey
from trafficrl.config.legacy.reading import Entry, Legacy
from trafficrl.config.legacy.run_keys import FILE_KEYS
from trafficrl.config.legacy.table import NAMES
from trafficrl.config.legacy.values import shown
from trafficrl.errors import ConfigError

__all__ = ["Given", "in_scenario", "read", "slug"]

ALTERNATIVES = (("custom_lanes", "custom_lanes_file"),)
"""Keys of which one may be given."""


class Given:
    """The known keys that somebody wrote, by their usual names.

    Raises:
        ConfigError: two of them contradict each other.
    """

    def __init__(self, legacy: Legacy) -> None:
        self.run = {one.known.name: one for one in legacy.entries if one.known}
        self._own = [
            {entry.known.name: entry for entry in entries if entry.known}
            for entries in legacy.scenarios
        ]
        for name, other in ALTERNATIVES:
            if name in self.run and other in self.run:
                entry = self.run[other]
                raise ConfigError(
                    f"{entry.place}: {entry.path} and {name} are both given: give one"
                )
        self.name = str(self.value("name", legacy.name))
        self.scenarios = self._named() or [slug(self.name)]

    def value(self, name: str, default: Any = None) -> Any:
        """What is said of a key of the whole run; the default where nothing is."""
        key = NAMES[name]
        said = self.run.get(name) if key in FILE_KEYS else next(iter(self.everywhere(key)), None)
        return default if said is None or said.value is None else read(key, said)

    def wherever(self, key: LegacyKey) -> list[Entry]:
        """Who says a key."""
        return [one[key.name] for one in (self.run, *self._own) if key.name in one]

    def everywhere(self, key: LegacyKey) -> list[Entry]:
        """Who says a key that holds for the whole run: the file, and scenarios that agree with it.

        Raises:
            ConfigError: they do not agree.
        """
        said = self.wherever(key)
        for entry in said[1:]:
            if shown(read(key, entry)) != shown(read(key, said[0])):
                raise ConfigError(
                    f"{entry.place}: {entry.path} {shown(entry.value)}: all scenarios of a run "
                    f"share it, and {said[0].place} says {shown(said[0].value)}"
                )
        return said

    def spreads(self, key: LegacyKey) -> bool:
        """Whether some scenarios say a key for those too that do not."""
        said = [key.name in own for own in self._own]
        return any(said) and not all(said) and key.name not in self.run

    def by_scenario(self, key: LegacyKey) -> Iterator[tuple[Entry | None, list[str]]]:
        """Who says a key of the demand, and for which scenarios; None for those that have none."""
        left = list(self.scenarios)
        for name, own in zip(self.scenarios, self._own, strict=False):
            if key.name in own:
                left.remove(name)
                yield own[key.name], [name]
        if left or key.name in self.run:
            yield self.run.get(key.name), left

    def _named(self) -> list[str]:
        """The scenarios by their names, each of its own."""
        names: list[str] = []
        for own in self._own:
            entry = own.get("name")
            if entry is None or entry.value is None:
                place = next(iter(own.values())).place if own else "scenarios"
                raise ConfigError(f"{place}: a scenario must have a name")
            name = slug(str(read(NAMES["name"], entry)))
            if name in names:
                raise ConfigError(f"{entry.place}: two scenarios have the name {name}")
            names.append(name)
        return names


def in_scenario(key: LegacyKey) -> bool:
    """Whether each scenario has a value of its own."""
    return key.to.startswith("scenarios.*.")


def read(key: LegacyKey, entry: Entry) -> Any:
    """The plain value.

    Raises:
        ConfigError: it is of another kind.
    """
    try:
        return key.reads(entry.value)
    except ValueError as error:
        got = shown(entry.value)
        raise ConfigError(f"{entry.place}: {entry.path} must be {error}, got {got}") from error


def slug(name: str) -> str:
    """A name of a file or a scenario: a letter first, then letters, digits, _ and -."""
    found = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-") or "experiment"
    return found if found[0].isalpha() else f"s{found}"
