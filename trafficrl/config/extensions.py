"""Files of the user's own with terms, features and controllers: what they name; nothing is run.

A file is plain Python with tables at its top level, named as those of trafficrl are:

    REWARD_TERMS = {"longest_queue_veh": longest_queue_veh}
    EDGE_FEATURES = {"loaded_share": loaded_share}

`extensions=[my_terms.py]` lets a configuration name what is in them; what the functions are given
is said in `trafficrl/env/extensions.py`. Names are read from the text of a file. Its code runs
only where somebody named the file: see `trafficrl/app/consent.py`.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trafficrl.config.controllers import OwnConfig
from trafficrl.config.observation import (
    EDGE_FEATURES,
    NETWORK_FEATURES,
    PHASE_FEATURES,
    SIGNAL_FEATURES,
    ObservationBase,
    ObservationConfig,
)
from trafficrl.config.reward import LOCAL_TERMS, REWARD_TERMS, LocalRewardConfig, RewardConfig
from trafficrl.config.shared_policy import (
    LOCAL_PHASE_FEATURES,
    LOCAL_SIGNAL_FEATURES,
    LOCAL_VALUE_FEATURES,
    SignalObservationConfig,
)
from trafficrl.errors import ConfigError, unknown_name

__all__ = ["TABLES", "check_names", "own_names", "unknown_own"]

TABLES: dict[str, tuple[str, ...]] = {
    "REWARD_TERMS": REWARD_TERMS,
    "LOCAL_TERMS": LOCAL_TERMS,
    "EDGE_FEATURES": EDGE_FEATURES,
    "PHASE_FEATURES": PHASE_FEATURES,
    "SIGNAL_FEATURES": SIGNAL_FEATURES,
    "NETWORK_FEATURES": NETWORK_FEATURES,
    "LOCAL_PHASE_FEATURES": LOCAL_PHASE_FEATURES,
    "LOCAL_SIGNAL_FEATURES": LOCAL_SIGNAL_FEATURES,
    "LOCAL_VALUE_FEATURES": LOCAL_VALUE_FEATURES,
    "CONTROLLERS": (),
}
"""Table of a file -> the names that trafficrl itself has there. Its own controllers have kinds."""

Used = tuple[str, Sequence[str], str]
"""Key of the configuration, the names that stand there, and the table that they come from."""


def check_names(
    reward: RewardConfig,
    observation: ObservationBase,
    controllers: Mapping[str, Any],
    extensions: Sequence[str],
) -> None:
    """Return when every term, feature and controller is one of trafficrl's or of these files.

    Raises:
        ConfigError: one is not, or a file cannot be read or brings what is there already.
    """
    own = own_names(extensions)
    for where, names, table in [*_used(reward, observation), *_own_controllers(controllers)]:
        known = [*TABLES[table], *own.get(table, ())]
        for name in names:
            if name not in known:
                raise unknown_own(where, name, table, known)


def unknown_own(where: str, name: str, table: str, known: Sequence[str]) -> ConfigError:
    """One line: the name is in no such table, what is, and how it could be.

    Args:
        where: key of the configuration that has the name.
        name: that stands there.
        table: in which it was looked for.
        known: what that table has.
    """
    needed = f"extensions=[FILE.py] with a table {table}"
    if not known:
        return ConfigError(f"{where}: {name!r} needs {needed}")
    return ConfigError(f"{unknown_name(where, name, known)}; one of your own needs {needed}")


def own_names(files: Sequence[str]) -> dict[str, list[str]]:
    """Table -> the names that these files bring to it.

    Raises:
        ConfigError: a file cannot be read, is no Python, has no table, or brings a name that is
            there already.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        tables = _tables(file)
        if not tables:
            raise ConfigError(f"extensions: {file} has none of the tables {', '.join(TABLES)}")
        for table, names in tables.items():
            there = found.setdefault(table, [])
            for name in names:
                if name in TABLES[table] or name in there:
                    raise ConfigError(
                        f"extensions: {file}: {table} names {name!r}, which is there already"
                    )
                there.append(name)
    return found


def _used(reward: RewardConfig, observation: ObservationBase) -> Iterator[Used]:
    local = isinstance(reward, LocalRewardConfig)
    yield "reward.terms", list(reward.terms), "LOCAL_TERMS" if local else "REWARD_TERMS"
    where = "algorithm.observation"
    if isinstance(observation, SignalObservationConfig):
        yield f"{where}.phase_features", observation.phase_features, "LOCAL_PHASE_FEATURES"
        yield f"{where}.signal_features", observation.signal_features, "LOCAL_SIGNAL_FEATURES"
        yield f"{where}.value_features", observation.value_features, "LOCAL_VALUE_FEATURES"
    elif isinstance(observation, ObservationConfig):
        yield f"{where}.edge_features", observation.edge_features, "EDGE_FEATURES"
        yield f"{where}.phase_features", observation.phase_features, "PHASE_FEATURES"
        yield f"{where}.signal_features", observation.signal_features, "SIGNAL_FEATURES"
        yield f"{where}.network_features", observation.network_features, "NETWORK_FEATURES"


def _own_controllers(controllers: Mapping[str, Any]) -> Iterator[Used]:
    for name, config in controllers.items():
        if isinstance(config, OwnConfig):
            yield f"controller.{name}.function", [config.function], "CONTROLLERS"


def _tables(file: str) -> Mapping[str, list[str]]:
    """The tables of a file with their names, read from its text."""
    try:
        module = ast.parse(Path(file).read_text(encoding="utf-8"), file)
    except OSError as error:
        raise ConfigError(f"extensions: {file} cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        raise ConfigError(f"extensions: {file}:{error.lineno}: {error.msg}") from error
    except ValueError as error:  # bytes that are no text
        raise ConfigError(f"extensions: {file} is no Python: {error}") from error
    found: dict[str, list[str]] = {}
    for node in module.body:
        if isinstance(node, ast.Assign):
            (target, *_), value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id in TABLES:
            found[target.id] = _names(file, target.id, value)
    return found


def _names(file: str, table: str, value: ast.expr) -> list[str]:
    keys = value.keys if isinstance(value, ast.Dict) else [None]
    names = [key.value for key in keys if isinstance(key, ast.Constant)]
    texts = [name for name in names if isinstance(name, str) and name.isidentifier()]
    if len(texts) != len(keys):
        raise ConfigError(
            f"extensions: {file}:{value.lineno}: {table} must be written as "
            '{"name": function, ...}, each name a word'
        )
    return texts
