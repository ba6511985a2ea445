"""One process at a time works in a run folder."""

import fcntl
import os
from pathlib import Path

from trafficrl.errors import RunError

__all__ = ["RunLock"]


class RunLock:
    """Held while the context lasts; the system lets go of it however the process ends.

    Raises:
        RunError: another process holds it, or the folder cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> "RunLock":
        try:
            self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(f"{self._file}: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise RunError(
                f"{self._file.parent}: another process works in this folder: wait for it, or "
                "choose another one (hydra.run.dir, hydra.sweep.dir)"
            ) from error
        except OSError as error:  # some shared file systems have no locks
            os.close(self._handle)
            raise RunError(
                f"{self._file}: cannot be locked: {error.strerror}: choose a hydra.run.dir on a "
                "file system that has locks"
            ) from error
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._handle)
