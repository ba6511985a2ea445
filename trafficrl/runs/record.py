"""The run's own account of itself, `run.json`: whole at any moment."""

import json
import os
import socket
import time
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from trafficrl.files import save_text

__all__ = ["RunRecord", "RunStatus"]


class RunStatus(Enum):
    """Where a run stands."""

    running = "running"
    finished = "finished"
    stopped = "stopped"
    """Ended early by rule or by the user; what is there is whole."""
    failed = "failed"


class RunRecord:
    """Writes `run.json` as the run goes on."""

    def __init__(self, file: Path, **facts: Any) -> None:
        self._file = file
        self._started = time.monotonic()
        self._facts: dict[str, Any] = {
            "status": RunStatus.running.value,
            "started": _now(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            **facts,
        }
        self.update()

    def update(self, **facts: Any) -> None:
        """These facts stand in the file beside the earlier ones."""
        self._facts |= facts
        self._facts["updated"] = _now()
        self._facts["wall_s"] = round(time.monotonic() - self._started, 3)
        save_text(self._file, json.dumps(self._facts, indent=2) + "\n")

    def end(self, status: RunStatus, reason: str) -> None:
        """The run has ended with that status."""
        self.update(status=status.value, reason=reason)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
