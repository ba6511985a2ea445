"""Programs that the doctor asks, all at once: each in a process that may fail, hang or crash."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

__all__ = ["Probe", "python_probe"]

GRACE_S = 0.2
"""To read what a program has said that ended long before it was asked."""


class Probe:
    """A program that has been started, and what comes of it.

    Args:
        command: its words.
        patience_s: until it counts as hanging [s].
    """

    def __init__(self, command: Sequence[str], *, patience_s: float) -> None:
        self.trouble = ""
        """Why there is no answer; one line, empty where there is one."""
        self._patience_s = patience_s
        self._deadline_s = time.monotonic() + patience_s
        self._process: subprocess.Popen[str] | None = None
        self._said: str | None = None
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError as error:
            self.trouble = str(error.strerror)

    def answer(self) -> str:
        """What it printed, once it has ended; empty where it failed, and `trouble` says why."""
        if self._said is None:
            self._said = "" if self._process is None else self._wait(self._process)
        return self._said

    def facts(self) -> Any:
        """Its answer, which is JSON; None where there is none."""
        lines = self.answer().strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def _wait(self, process: subprocess.Popen[str]) -> str:
        with process:
            try:
                left_s = max(self._deadline_s - time.monotonic(), GRACE_S)
                out, err = process.communicate(timeout=left_s)
            except subprocess.TimeoutExpired:
                with suppress(OSError):
                    process.kill()
                self.trouble = f"no answer in {self._patience_s:g} s"
                return ""
        if process.returncode:
            lines = [line.strip() for line in err.splitlines() if line.strip()]
            self.trouble = lines[-1] if lines else f"it ends with code {process.returncode}"
            return ""
        return out


def python_probe(code: str, *, patience_s: float) -> Probe:
    """This Python runs the code, whose last line of output is JSON."""
    return Probe([sys.executable, "-c", code], patience_s=patience_s)
