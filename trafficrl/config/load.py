"""From YAML and command line to checked objects, once, and back to `resolved_config.yaml`."""

import re
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, overload

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from trafficrl.config.algorithm import AlgorithmConfig
from trafficrl.config.checks import check_choice
from trafficrl.config.earlier import in_todays_words
from trafficrl.config.experiment import CollectConfig, EvaluateConfig, ExperimentConfig
from trafficrl.config.explain import explain
from trafficrl.config.inputs import inside, locate
from trafficrl.config.render import RenderConfig
from trafficrl.config.store import SCHEMAS, members
from trafficrl.errors import ConfigError
from trafficrl.files import save_text

__all__ = [
    "UNSAFE",
    "checked",
    "load_experiment",
    "plain_values",
    "save_experiment",
    "to_algorithm",
    "to_experiment",
]

NAMED = {"scenarios": "scenario", "controller": "controller"}
"""Groups whose entries have names of the user's own -> what an entry is."""

E = TypeVar("E", bound=ExperimentConfig)

HEADER = """\
# Everything that decides the result of this run. To have it again from this folder alone:
#   trafficrl-{command} --config-dir FOLDER_OF_THIS_FILE --config-name resolved_config
defaults:
- hydra_settings
- _self_
"""

COMMANDS: dict[type, str] = {
    EvaluateConfig: "evaluate",
    CollectConfig: "collect",
    RenderConfig: "render",
}

UNSAFE = re.compile(r"\$\{|\A\?{3}\Z|[\x85\u2028\u2029\ud800-\udfff]")
"""Interpolations, OmegaConf's mark of a missing value, line ends that YAML folds away, bytes that
are no text."""


@overload
def to_experiment(cfg: DictConfig) -> ExperimentConfig: ...
@overload
def to_experiment(cfg: DictConfig, schema: type[E]) -> E: ...
def to_experiment(
    cfg: DictConfig, schema: type[ExperimentConfig] = ExperimentConfig
) -> ExperimentConfig:
    """The composed configuration as checked objects; its interpolations are resolved here.

    A composed group already has its dataclass; one from a `resolved_config.yaml` is a plain
    mapping. Both are read again by their `kind`, which also refuses keys that Hydra's `+` let in.

    Raises:
        ConfigError: an unknown key, a wrong type, a missing value or a failed check.
    """
    try:
        values = OmegaConf.to_container(cfg, resolve=True, enum_to_str=True)
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    assert isinstance(values, dict)
    return _experiment({str(key): value for key, value in values.items()}, schema)


@overload
def load_experiment(path: Path) -> ExperimentConfig: ...
@overload
def load_experiment(path: Path, schema: type[E]) -> E: ...
def load_experiment(
    path: Path, schema: type[ExperimentConfig] = ExperimentConfig
) -> ExperimentConfig:
    """The experiment of a run folder's `resolved_config.yaml`, without Hydra.

    Reading runs no code and asks no environment: an interpolation is refused, not resolved.

    Raises:
        ConfigError: a missing or damaged file, or values that fail the checks.
    """
    values = _read_yaml(path)
    values.pop("defaults", None)
    try:
        _refuse_unsafe("", values)
        return locate(_experiment(values, schema), [path.parent, Path.cwd()])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def save_experiment(config: ExperimentConfig, path: Path) -> None:
    """The file at path holds every value of the experiment, or is as it was before.

    Files beside it are named relative to it, so that the folder may be moved.

    Raises:
        ConfigError: a string that would not come back, such as one that holds `${`.
    """
    values = plain_values(inside(config, path.parent.resolve()))
    _refuse_unsafe("", values)
    command = COMMANDS.get(type(config), "train")
    save_text(path, HEADER.format(command=command) + OmegaConf.to_yaml(OmegaConf.create(values)))


def checked(config: E) -> E:
    """An equal experiment whose every value has passed the checks: fields can be assigned to.

    Raises:
        ConfigError: a value that fails them.
    """
    values = plain_values(config)
    _refuse_unsafe("", values)
    return _experiment(values, type(config))


def to_algorithm(values: Any) -> AlgorithmConfig:
    """The algorithm that a model file describes, checked like one from the command line.

    Raises:
        ConfigError: an unknown key, a wrong type, a missing value, an interpolation or a failed
            check.
    """
    _refuse_unsafe("algorithm", values)
    try:
        typed = OmegaConf.structured(_schema("algorithm", "algorithm", values))
        algorithm = OmegaConf.to_object(OmegaConf.merge(typed, values))
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    assert isinstance(algorithm, AlgorithmConfig)
    return algorithm


def _experiment(values: dict[str, Any], schema: type[E]) -> E:
    values = in_todays_words(values)
    try:
        typed = OmegaConf.structured(schema)
        for group in SCHEMAS:
            if group not in NAMED:
                typed[group] = OmegaConf.structured(_schema(group, group, values.get(group)))
        for group in NAMED:
            for name, value in _entries(group, values).items():
                entry = _schema(group, f"{group}.{name}", value)
                typed[group][name] = OmegaConf.structured(entry)
        merged = OmegaConf.merge(typed, values)
        assert isinstance(merged, DictConfig)
        for group in NAMED:
            for name, entry in merged[group].items():
                _check_entry(group, str(name), entry)
        experiment = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    assert isinstance(experiment, schema)
    return experiment


def _schema(group: str, where: str, value: Any) -> type:
    """The dataclass that a mapping's `kind` names."""
    if group == where and (value is None or value == "???"):
        choices = ", ".join(members(group))
        raise ConfigError(f"{where}: a member is mandatory; choose {group}=MEMBER: {choices}")
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a mapping, got {value!r}")
    check_choice(f"{where}.kind", value.get("kind"), SCHEMAS[group])
    return SCHEMAS[group][value["kind"]]


def _entries(group: str, values: dict[str, Any]) -> dict[str, Any]:
    entries = values.get(group) or {}
    if not isinstance(entries, dict):
        raise ConfigError(f"{group} must be a mapping name: {NAMED[group]}, got {entries!r}")
    return entries


def _check_entry(group: str, name: str, entry: DictConfig) -> None:
    """The entry passes its own checks; it knows its values but not its name."""
    try:
        OmegaConf.to_object(entry)
    except ConfigError as error:
        raise ConfigError(str(error).replace(f"{group}.*", f"{group}.{name}")) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} is damaged: it holds no mapping")
    return {str(key): value for key, value in values.items()}


def _refuse_unsafe(where: str, value: Any) -> None:
    """No string asks for anything when it is read, and each comes back as it was."""
    if isinstance(value, str) and UNSAFE.search(value):
        raise ConfigError(
            f"{where} holds no plain value (${{...}}, ??? or a broken character): {value!r}"
        )
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            _refuse_unsafe(f"{where}.{key}" if where else str(key), item)


def plain_values(value: Any) -> Any:
    """Mappings, lists and scalars in the order of the dataclasses; enums by name."""
    if is_dataclass(value):
        return {item.name: plain_values(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, dict):
        return {key: plain_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    return value.name if isinstance(value, Enum) else value
