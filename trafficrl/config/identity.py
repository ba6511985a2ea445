"""Whether two configurations are the same, and where they are not."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.inputs import map_files
from trafficrl.config.load import plain_values

__all__ = ["config_hash", "differences", "kept_name"]

PLACES = ("execution.cache_dir", "execution.models_dir", "evaluation.database")


def kept_name(path: str) -> str:
    """The name of a run's copy of a file: SUMO takes a comma for a list, a dollar sign for more."""
    return re.sub(r"[,$]", "_", Path(path).name)


def config_hash(config: ExperimentConfig) -> str:
    """SHA-256 of all that the user decided, but for where things lie on the machine.

    Of the files that it names their names count: a run keeps their content.
    """
    values = {key: value for key, value in _flat(config).items() if key not in PLACES}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def differences(before: ExperimentConfig, now: ExperimentConfig) -> dict[str, tuple[Any, Any]]:
    """Key -> (value before, value now), where they differ; None where a key is missing."""
    one, other = _flat(before), _flat(now)
    return {
        key: (one.get(key), other.get(key))
        for key in dict.fromkeys([*one, *other])
        if one.get(key) != other.get(key)
    }


def _flat(config: ExperimentConfig) -> dict[str, Any]:
    """Full key -> value, without where the configuration and its files come from."""
    named = map_files(replace(config, provenance={}), lambda key, path: kept_name(path))
    return dict(_entries("", plain_values(named)))


def _entries(where: str, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _entries(f"{where}{name}.", value)
        else:
            yield f"{where}{name}", value
