"""A run keeps the files that it was given: without them its result could not be had again."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import kept_name
from trafficrl.config.inputs import map_files
from trafficrl.errors import RunError, TrafficRLError

__all__ = ["keep_inputs", "naming_originals"]

E = TypeVar("E", bound=ExperimentConfig)
log = logging.getLogger(__name__)


def keep_inputs(config: E, folder: Path) -> E:
    """The configuration with every file that it names copied into the folder, and named there.

    A copy has no comma or dollar sign in its name: SUMO would take them for a list or a variable.

    Raises:
        RunError: a file cannot be copied.
    """
    taken: dict[str, str] = {}

    def keep(key: str, path: str) -> str:
        source = Path(path)
        place = "-".join(part for part in key.split(".") if part not in ("scenarios", "file"))
        name = kept_name(path)
        target = folder / place / name
        number = 1
        while taken.setdefault(str(target), path) != path:
            number += 1
            target = folder / place / str(number) / name
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


@contextmanager
def naming_originals(given: ExperimentConfig, kept: ExperimentConfig) -> Iterator[None]:
    """An error names the files that the user gave, not their copies: those are to be mended.

    Args:
        given: the configuration before `keep_inputs`.
        kept: the one that came of it.
    """
    try:
        yield
    except TrafficRLError as error:
        message = str(error)
        pairs = zip(_files(kept), _files(given), strict=True)
        for copy, original in sorted(pairs, key=lambda pair: -len(pair[0])):  # a.xml in a.xml.gz
            message = message.replace(copy, original)
        raise type(error)(message) from error


def _files(config: ExperimentConfig) -> list[str]:
    """Every file that a configuration names, in one order."""
    found: list[str] = []

    def note(key: str, path: str) -> str:
        found.append(path)
        return path

    map_files(config, note)
    return found
