"""How a command that did not come to its end is told, and how its run is found again."""

import errno
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from trafficrl.errors import ConfigError, TrafficRLError

__all__ = ["Failure", "job_name", "same_folder", "told"]

FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
"""No bug, wherever it strikes."""
MOST_NAMED = 8


@dataclass
class Failure:
    """Why a job ended, or none began."""

    error: Exception
    job: str = ""
    """In a multirun: which job, with its overrides."""

    @property
    def exit_code(self) -> int:
        """What the command leaves with."""
        return 2 if isinstance(self.error, ConfigError) else 1

    def report(self, command: str, *, full_error: bool) -> None:
        """One line on stderr; before it the traceback, when asked for or when it is a bug."""
        full = isinstance(self.error, OSError) and self.error.errno in FULL_DISK
        bug = not full and not isinstance(self.error, TrafficRLError)
        if bug or full_error:
            traceback.print_exception(self.error)
        message = f"unexpected {type(self.error).__name__}: {self.error}" if bug else self.error
        line = " ".join(f"{command}: error: {self.job}{message}".split())
        print(line, file=sys.stderr)


def same_folder() -> str:
    """The override by which a command comes to its folder again: the usual one has the time."""
    config = HydraConfig.get()
    folder = Path(config.runtime.output_dir)
    if config.mode is not RunMode.MULTIRUN:
        return f"hydra.run.dir={folder}"
    return f"hydra.sweep.dir={folder.parents[len(Path(config.sweep.subdir).parts) - 1]}"


def job_name() -> str:
    """In a multirun which job it is, with its overrides; else nothing."""
    config = HydraConfig.get()
    if config.mode is not RunMode.MULTIRUN:
        return ""
    return f"job {config.job.num} ({' '.join(config.overrides.task)}): "


def told(changed: dict[str, tuple[Any, Any]]) -> str:
    """Each key with its value before and now, in one line; empty where nothing has changed."""
    parts = [f"{key} was {old}, is {new}" for key, (old, new) in changed.items()]
    more = [f"and {len(parts) - MOST_NAMED} more"] if len(parts) > MOST_NAMED else []
    return "; ".join(parts[:MOST_NAMED] + more)
