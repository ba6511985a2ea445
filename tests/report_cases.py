"""Run folders that differ from the real ones in a few values."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

__all__ = ["altered"]

Change = Callable[[Any], object]


def altered(
    run: Path, folder: Path, *, config: Change | None = None, results: Change | None = None
) -> Path:
    """A copy of the run in that folder, whose configuration or results were changed in place."""
    shutil.copytree(run, folder)
    if config is not None:
        file = folder / "resolved_config.yaml"
        values = yaml.safe_load(file.read_text())
        config(values)
        file.write_text(yaml.safe_dump(values, sort_keys=False))
    if results is not None:
        file = folder / "evaluation" / "results.json"
        values = json.loads(file.read_text())
        results(values)
        file.write_text(json.dumps(values))
    return folder
