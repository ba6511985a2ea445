"""The run's own account of itself, `run.json`: whole at any moment."""

import json
import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from trafficrl.errors import RunError
from trafficrl.files import save_text

__all__ = ["RunRecord", "RunStatus", "read_record"]

MOST_TOLD = 20
"""Crashes that are told one by one; all are counted."""


class RunStatus(Enum):
    """Where a run stands."""

    running = "running"
    finished = "finished"
    stopped = "stopped"
    """Ended early by rule or by the user; what is there is whole."""
    failed = "failed"


class RunRecord:
    """Writes `run.json` as the run goes on.

    Args:
        file: to write; what it says of an earlier, unfinished attempt at the run is taken over.
        facts: that stand in it from the beginning.
    """

    def __init__(self, file: Path, **facts: Any) -> None:
        self._file = file
        self._began = time.monotonic()
        earlier = read_record(file) if file.exists() else {}
        self._wall_s = float(earlier.get("wall_s", 0.0))
        self._earlier_crashes = int(earlier.get("crashes", 0))
        self._earlier_log = list(earlier.get("crash_log", ()))
        self._crashed: dict[str, Sequence[str]] = {}
        self._facts: dict[str, Any] = {
            **facts,
            **earlier,
            "status": RunStatus.running.value,
            "started": earlier.get("started", _now()),
            "resumes": int(earlier.get("resumes", -1)) + 1,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        for name in ("reason", "verdict", "episodes_judged"):  # told anew at its new end
            self._facts.pop(name, None)
        self.update()

    def update(self, **facts: Any) -> None:
        """These facts stand in the file beside the earlier ones.

        Raises:
            RunError: it cannot be written, and is as it was before.
        """
        self._facts |= facts
        self._facts["updated"] = _now()
        self._facts["wall_s"] = round(self._wall_s + time.monotonic() - self._began, 3)
        try:
            save_text(self._file, json.dumps(self._facts, indent=2) + "\n")
        except OSError as error:
            raise RunError(f"{self._file} cannot be written: {error.strerror}") from error

    def checkpoint(self, timesteps: int) -> None:
        """A checkpoint of so many environment steps has been written."""
        self.update(last_checkpoint=_now(), checkpoint_timesteps=timesteps, timesteps=timesteps)

    def crashes(self, where: str, lines: Sequence[str]) -> None:
        """All that crashed there since this process began to work at the run, a line each."""
        self._crashed[where] = list(lines)
        told = [line for group in self._crashed.values() for line in group]
        log = [*self._earlier_log, *told][-MOST_TOLD:]
        facts = {"crashes": self._earlier_crashes + len(told), "crash_log": log}
        if not facts.items() <= self._facts.items():  # on a full disk nothing new need be written
            self.update(**facts)

    def end(self, status: RunStatus, reason: str) -> None:
        """The run has ended with that status."""
        self.update(status=status.value, reason=reason)


def read_record(file: Path) -> dict[str, Any]:
    """What `run.json` says.

    Raises:
        RunError: it is damaged or cannot be read.
    """
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(facts, dict):
            raise TypeError(f"it holds a {type(facts).__name__}")
        RunStatus(facts["status"])
    except OSError as error:
        raise RunError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{file}: damaged: {error}") from error
    return facts


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
