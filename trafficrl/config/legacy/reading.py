"""A legacy YAML file as its keys, each with its line; `base_config` is read first and overlaid."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trafficrl.config.legacy.keys import LegacyKey
from trafficrl.config.legacy.table import SECTIONS, find_key
from trafficrl.config.legacy.values import shown
from trafficrl.errors import ConfigError

__all__ = ["Entry", "Legacy", "overlay", "read_legacy"]

BASE = "base_config"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One key as somebody wrote it."""

    path: str
    """With its sections: `reward.function`."""
    value: Any
    place: str
    """`FILE:LINE`, or where in a command."""
    folder: Path
    """Where relative paths begin."""
    known: LegacyKey | None

    @property
    def names(self) -> tuple[str, ...]:
        """What an overlay replaces: the key in all its spellings, and a section as a whole."""
        return (self.path.partition(".")[0], *([self.known.name] if self.known else []))


@dataclass(frozen=True, slots=True)
class Legacy:
    """One experiment as it was written, inheritance included."""

    name: str
    """Where it does not say it itself."""
    format: str
    """flat, modular, sectioned or command."""
    entries: tuple[Entry, ...]
    scenarios: tuple[tuple[Entry, ...], ...] = ()
    """Of each entry of `scenarios:` its own keys."""
    overlaid: tuple[tuple[Entry, Entry], ...] = ()
    """What a later file says otherwise, and there."""
    skipped: tuple[Entry, ...] = ()
    """Words of a command that belong to no option."""


def read_legacy(file: Path, *, sectioned: str = "sectioned") -> Legacy:
    """What the file says, over what its base says.

    Raises:
        ConfigError: it or a base of it is missing, damaged or inherits from itself, or says a key
            twice.
    """
    legacy = _read(file, ())
    sections = any(entry.path.count(".") for entry in legacy.entries if _is_section(entry))
    name = file.resolve().parent.name if sections and file.stem == "config" else file.stem
    return Legacy(
        name, sectioned if sections else "flat", legacy.entries, legacy.scenarios, legacy.overlaid
    )


def overlay(below: Legacy, above: Legacy) -> Legacy:
    """What both say; what above says, it says alone."""
    said = {name: entry for entry in reversed(above.entries) for name in entry.names}
    over = {entry: said[name] for entry in below.entries for name in entry.names if name in said}
    kept = tuple(entry for entry in below.entries if entry not in over)
    gone = list(over.items())
    lists = above.scenarios or below.scenarios
    if above.scenarios:
        gone += [(entry, above.scenarios[0][0]) for one in below.scenarios for entry in one]
    return Legacy(
        above.name,
        above.format,
        (*kept, *above.entries),
        lists,
        (*below.overlaid, *above.overlaid, *gone),
    )


def _is_section(entry: Entry) -> bool:
    return entry.path.partition(".")[0] != "reward_params"


def _read(file: Path, heirs: tuple[Path, ...]) -> Legacy:
    if file.resolve() in heirs:
        chain = " -> ".join(heir.name for heir in (*heirs, file))
        raise ConfigError(f"{file}: {BASE} goes in a circle: {chain}")
    reader = _Reader(file)
    own = reader.legacy()
    base = next((entry for entry in own.entries if entry.path == BASE), None)
    if base is None or base.value is None:
        return own
    below = file.parent / str(base.value)
    if not below.is_file():
        raise ConfigError(f"{base.place}: {BASE}: there is no file {str(base.value)!r}")
    return overlay(_read(below, (*heirs, file.resolve())), own)


class _Reader:
    """YAML with lines: `yaml.safe_load` forgets them, and takes the last of two equal keys."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
            self._root = self._loader.get_single_node()
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{file} is damaged: it is no text") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise self._damaged(error) from error

    def legacy(self) -> Legacy:
        """Its own keys alone."""
        if not isinstance(self._root, yaml.MappingNode):
            raise ConfigError(f"{self._file} is damaged: it holds no mapping")
        if any(key.value == "defaults" for key, _ in self._root.value):
            raise ConfigError(f"{self._file} is a configuration of this program, no legacy one")
        entries: list[Entry] = []
        scenarios: list[tuple[Entry, ...]] = []
        try:
            for entry, node in self._walk(self._root, ""):
                if entry.path == "scenarios":
                    scenarios = list(self._scenarios(entry, node))
                else:
                    entries.append(entry)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise self._damaged(error) from error
        self._refuse_twins(entries)
        for one in scenarios:
            self._refuse_twins(one)
        return Legacy(self._file.stem, "flat", tuple(entries), tuple(scenarios))

    def _walk(self, node: yaml.MappingNode, within: str) -> Iterator[tuple[Entry, yaml.Node]]:
        self._merge(node)
        section = within.rstrip(".").rpartition(".")[2]
        for key, value in node.value:
            name = str(self._loader.construct_object(key, deep=True))
            if name in SECTIONS and isinstance(value, yaml.MappingNode) and value.value:
                yield from self._walk(value, f"{within}{name}.")
                continue
            content = None
            if within or name != "scenarios":
                content = self._loader.construct_object(value, deep=True)
            yield (
                Entry(
                    f"{within}{name}",
                    content,
                    self._place(key),
                    self._file.parent,
                    find_key(section, name),
                ),
                value,
            )

    def _merge(self, node: yaml.MappingNode) -> None:
        """`<<: *anchor` stands for keys that a mapping does not have itself."""
        own = [pair for pair in node.value if pair[0].tag != "tag:yaml.org,2002:merge"]
        self._loader.flatten_mapping(node)
        merged = {key.value: (key, value) for key, value in node.value[: -len(own) or None]}
        if len(own) < len(node.value):
            said = {key.value for key, _ in own}
            node.value = [pair for name, pair in merged.items() if name not in said] + own

    def _scenarios(self, entry: Entry, node: yaml.Node) -> Iterator[tuple[Entry, ...]]:
        items = node.value if isinstance(node, yaml.SequenceNode) else []
        if not items or not all(
            isinstance(item, yaml.MappingNode) and item.value for item in items
        ):
            raise ConfigError(f"{entry.place}: scenarios must be a list of mappings with a name")
        for number, item in enumerate(items):
            yield tuple(one for one, _ in self._walk(item, f"scenarios[{number}]."))

    def _place(self, node: yaml.Node) -> str:
        return f"{self._file}:{node.start_mark.line + 1}"

    def _refuse_twins(self, entries: list[Entry] | tuple[Entry, ...]) -> None:
        seen: dict[str, Entry] = {}
        for entry in entries:
            name = entry.known.name if entry.known else entry.path
            if name in seen:
                raise ConfigError(
                    f"{entry.place}: {entry.path} {shown(entry.value)} is given twice, also in "
                    f"line {seen[name].place.rpartition(':')[2]}"
                )
            seen[name] = entry

    def _damaged(self, error: Exception) -> ConfigError:
        if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
            return ConfigError(f"{self._file}:{error.problem_mark.line + 1}: {error.problem}")
        detail = " ".join(str(error).split()) or type(error).__name__
        return ConfigError(f"{self._file} is damaged: {detail}")
