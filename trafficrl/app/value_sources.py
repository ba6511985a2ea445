"""Where each value of a composed configuration comes from.

Hydra keeps values, not their origin. So its defaults list is walked again, and of each dataclass,
file and override is noted what it sets: who comes last wins, as in Hydra itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.conf import HydraConf
from hydra.core.default_element import ResultDefault
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import OmegaConf, SCMode
from omegaconf._utils import split_key

from trafficrl.app.yaml_places import Key, YamlPlaces

__all__ = ["ConfigSources", "Sourced"]

MISSING = "???"
DEFAULT = "default of"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value, and what set it."""

    value: Any
    where: str
    """`FILE:LINE`, `override WORD`, `default of DATACLASS` or `published NAME`."""
    before: "Sourced | None" = None
    """What it was set over."""

    @property
    def is_default(self) -> bool:
        """Nobody has chosen it: its dataclass has it, or has only its name."""
        return self.where.startswith(DEFAULT)


class ConfigSources:
    """Of one configuration, without Hydra's own part of it.

    Args:
        hydra: that part of the composed configuration: it names files and overrides.
    """

    def __init__(self, hydra: HydraConf) -> None:
        self._words = [*hydra.overrides.hydra, *hydra.overrides.task]
        search = ConfigSearchPathImpl()
        for source in hydra.runtime.config_sources:
            search.append(source.provider, f"{source.schema}://{source.path}")
        self._loader = ConfigLoaderImpl(search)
        request = (hydra.job.config_name, self._words, RunMode.RUN)
        self._composed = self._loader.load_configuration(*request)
        self._defaults = self._loader.compute_defaults_list(*request)
        self._places: dict[Path, YamlPlaces] = {}
        self._found: dict[Key, Sourced] = {}
        for default in self._defaults.defaults:
            self._note_default(default)
        for override in self._defaults.config_overrides:
            self._note_override(override)

    @property
    def values(self) -> dict[Key, Sourced]:
        """Of each value, in the order of the configuration."""
        composed = self._composed.copy()
        OmegaConf.set_struct(composed, False)
        del composed["hydra"]
        return {key: self._named(key, value) for key, value in _leaves(_plain(composed))}

    @property
    def choices(self) -> dict[str, Sourced]:
        """Of each group the member that was chosen; of Hydra's groups those that somebody chose."""
        typed = {word.lstrip("+").partition("=")[0]: word for word in self._words}
        found: dict[str, Sourced] = {}
        for group, member in reversed(self._defaults.overrides.known_choices.items()):
            if group in typed:
                found[group] = Sourced(member, f"override {typed[group]}")
            elif member is not None:
                where = self._chosen_in(group)
                found |= {group: Sourced(member, where)} if where else {}
        return found

    def _chosen_in(self, group: str) -> str:
        """The defaults list that has chosen the member; empty where it is Hydra's own."""
        meta = self._defaults.overrides.override_metadata.get(group)
        parents = [
            default.parent
            for default in self._defaults.defaults
            if str(default.config_path).startswith(f"{group}/") and default.parent
        ]
        for holder in [meta.containing_config_path] if meta else reversed(parents):
            file = self._file(holder)
            line = file and self._lines_of(file).choice(group)
            if line:
                return f"{file}:{line}"
        return "" if group.startswith("hydra/") else "published"

    def _note_default(self, default: ResultDefault) -> None:
        path = default.config_path
        if path is None or path.startswith("hydra/"):
            return
        loaded = self._loader.repository.load_config(path)
        assert loaded is not None, "Hydra has loaded it a moment ago"
        package = loaded.header["package"] if default.package is None else default.package
        into = tuple(filter(None, (package or "").split(".")))
        file = self._file(path)
        for key, value in _leaves(_plain(loaded.config)):
            if file is not None:
                where = f"{file}:{self._lines_of(file).line(key)}"
            else:
                where = DEFAULT if path.startswith("schema/") else f"published {path}"
            self._put((*into, *key), value, where)

    def _note_override(self, override: Override) -> None:
        key = tuple(split_key(override.key_or_group))
        if override.is_delete():
            self._found = {k: one for k, one in self._found.items() if k[: len(key)] != key}
            return
        whole = _plain(OmegaConf.create({"value": override.value()}))
        for inner, value in _leaves(whole):
            self._put((*key, *inner[1:]), value, f"override {override.input_line}")

    def _put(self, key: Key, value: Any, where: str) -> None:
        """As OmegaConf merges: a mapping joins a mapping, all else replaces what was there."""
        within = [known for known in self._found if known != key and known[: len(key)] == key]
        if (value == MISSING and key in self._found) or (value == {} and within):
            return
        for known in within:
            del self._found[known]
        for length in range(1, len(key)):
            self._found.pop(key[:length], None)
        self._found[key] = Sourced(value, where, self._found.get(key))

    def _named(self, key: Key, value: Any) -> Sourced:
        """With the class whose default it is: where all is composed each part knows its class."""
        # A file that says something of a missing part brings the defaults of its class along.
        found = self._found.get(key, Sourced(value, DEFAULT))
        if not found.is_default:
            return Sourced(value, found.where, found.before)
        node: Any = self._composed
        owner = ""
        for name in key:
            kind = OmegaConf.get_type(node)
            owner = owner if kind in (None, dict) else kind.__name__
            node = node._get_node(name)
        return Sourced(value, f"{DEFAULT} {owner}")

    def _file(self, config_path: str | None) -> Path | None:
        """The YAML file that holds it; None for what Python holds."""
        loaded = self._loader.repository.load_config(config_path) if config_path else None
        if loaded is None or not loaded.path.startswith("file://"):
            return None
        folder = Path(loaded.path.removeprefix("file://"))
        return (folder / f"{str(config_path).removesuffix('.yaml')}.yaml").resolve()

    def _lines_of(self, file: Path) -> YamlPlaces:
        if file not in self._places:
            self._places[file] = YamlPlaces(file)
        return self._places[file]


def _plain(config: Any) -> dict[str, Any]:
    """As it is written: nothing is resolved, and enums have their names."""
    values = OmegaConf.to_container(
        config, resolve=False, enum_to_str=True, structured_config_mode=SCMode.DICT
    )
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items() if key != "hydra"}


def _leaves(values: dict[Any, Any], key: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*key, str(name)))
        else:
            yield (*key, str(name)), value
