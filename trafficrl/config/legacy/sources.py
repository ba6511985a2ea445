"""Which legacy experiments a file, a folder or the five files of a modular one hold."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trafficrl.config.legacy.commands import read_commands
from trafficrl.config.legacy.reading import Legacy, overlay, read_legacy
from trafficrl.config.legacy.table import PARTS
from trafficrl.errors import ConfigError

__all__ = ["Source", "find_sources", "one_source"]

YAML = (".yaml", ".yml")
OURS = re.compile(rb"^(defaults|hydra):", re.MULTILINE)
"""Configurations of this program have a defaults list or a part of Hydra's, and legacy ones had
neither."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where experiments are, before they are read: one that cannot be is no harm to the others."""

    name: str
    """As the user would name it."""
    read: Callable[[], list[Legacy]]
    """Reads them; raises ConfigError."""


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Each path is an experiment of its own, but files of the five folders make one together.

    Raises:
        ConfigError: a path is not there, holds nothing, or two files say the same part.
    """
    files = [path for path in paths if path.is_file()]
    if files and len(files) == len(paths) and all(_part(file) for file in files):
        return [_modular(files)]
    return [source for path in paths for source in _sources(path)]


def one_source(text: str) -> Legacy:
    """The experiment of `legacy=`: a file, a folder of five parts, or a list of five files.

    Raises:
        ConfigError: there is none, or more than one.
    """
    names = text[1:-1].split(",") if text.startswith("[") and text.endswith("]") else [text]
    if not all(name.strip() for name in names):  # the empty path is the folder where one stands
        raise ConfigError(f"legacy={text} names no file: write legacy=FILE")
    found = [
        one
        for source in find_sources([Path(name.strip()).expanduser() for name in names])
        for one in source.read()
    ]
    if len(found) != 1:
        raise ConfigError(
            f"legacy={text} holds {len(found)} experiments: name one; trafficrl-migrate takes all"
        )
    return found[0]


def _sources(path: Path) -> list[Source]:
    if path.is_file():
        if path.suffix.lower() in YAML:
            return [Source(str(path), lambda: [_read_file(path)])]
        return [Source(str(path), lambda: read_commands(path))]
    if not path.is_dir():
        raise ConfigError(f"there is no file or folder {str(path)!r}")
    parts = [folder for folder in map(path.joinpath, PARTS) if folder.is_dir()]
    if parts:
        return [_modular([file for folder in parts for file in _yaml(folder, "*")])]
    files = _yaml(path, "**/*")
    if not files:
        raise ConfigError(f"{path} holds no YAML file")
    modular = {file.parent.parent for file in files if _part(file)}
    together = [
        _modular([file for file in files if _part(file) and file.parent.parent == folder])
        for folder in sorted(modular)
    ]
    alone = [source for file in files if not _part(file) for source in _sources(file)]
    return together + alone


def _read_file(file: Path) -> Legacy:
    return read_legacy(file)


def _yaml(folder: Path, pattern: str) -> list[Path]:
    """The YAML files of a folder, but for those that a migration or a run has put there."""
    found = sorted(file for file in folder.glob(pattern) if file.suffix.lower() in YAML)
    return [file for file in found if not _is_ours(file, folder)]


def _is_ours(file: Path, folder: Path) -> bool:
    """Also what lies in a run folder, in a hidden one as Hydra makes it, or beside a model."""
    within = [folder / parent for parent in file.relative_to(folder).parents]
    return (
        any((place / "run.json").is_file() for place in within)
        or any(place.name.startswith(".") for place in within if place != folder)
        or file.with_suffix(".zip").is_file()
        or OURS.search(file.read_bytes()) is not None
    )


def _part(file: Path) -> str:
    """The part of a modular experiment that a file is, by its folder; empty if none."""
    name = file.resolve().parent.name
    return name if name in PARTS else ""


def _modular(files: Sequence[Path]) -> Source:
    folder = files[0].parent.parent
    name = str(folder) if len(files) > 1 else str(files[0])
    return Source(name, lambda: [_read_modular(name, files)])


def _read_modular(where: str, files: Sequence[Path]) -> Legacy:
    by_part: dict[str, Path] = {}
    for file in files:
        part = _part(file)
        if part in by_part:
            raise ConfigError(
                f"{where}: {by_part[part].name} and {file.name} are both {part}: name one file "
                "of each folder"
            )
        by_part[part] = file
    legacies = [read_legacy(by_part[part]) for part in PARTS if part in by_part]
    whole = legacies[0]
    for above in legacies[1:]:
        whole = overlay(whole, above)
    stems = dict.fromkeys(by_part[part].stem for part in PARTS if part in by_part)
    return Legacy("_".join(stems), "modular", whole.entries, whole.scenarios, whole.overlaid)
