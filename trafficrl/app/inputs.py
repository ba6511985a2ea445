"""A run keeps the files that it was given: without them its result could not be had again."""

import logging
import shutil
from pathlib import Path
from typing import TypeVar

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.inputs import map_files
from trafficrl.errors import RunError

__all__ = ["keep_inputs"]

E = TypeVar("E", bound=ExperimentConfig)
log = logging.getLogger(__name__)


def keep_inputs(config: E, folder: Path) -> E:
    """The configuration with every file that it names copied into the folder, and named there.

    Raises:
        RunError: a file cannot be copied.
    """
    taken: dict[str, str] = {}

    def keep(key: str, path: str) -> str:
        source = Path(path)
        place = "-".join(part for part in key.split(".") if part not in ("scenarios", "file"))
        target = folder / place / source.name
        number = 1
        while taken.setdefault(str(target), path) != path:
            number += 1
            target = folder / place / str(number) / source.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not (target.exists() and target.samefile(source)):
                shutil.copyfile(source, target)
        except OSError as error:
            raise RunError(
                f"{key}: {path} cannot be copied to {target}: {error.strerror}"
            ) from error
        log.info("kept %s: %s", key, target)
        return str(target.resolve())

    return map_files(config, keep)
