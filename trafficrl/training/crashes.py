"""Counts what crashed and was begun again, until it is too much to go on."""

import logging

from trafficrl.errors import SimulationError

__all__ = ["CrashLog"]

log = logging.getLogger(__name__)


class CrashLog:
    """One line for each crash, oldest first.

    Args:
        most: crashes that are borne (`execution.max_crashes`).
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.lines: list[str] = []

    def add(self, what: str, remedy: str) -> None:
        """The crash is counted, and the log tells of it.

        Args:
            what: crashed, where, why, and how to see it again.
            remedy: what is done about it.

        Raises:
            SimulationError: it was one too many.
        """
        if len(self.lines) >= self._most:
            self.lines.append(what)
            raise SimulationError(
                f"{len(self.lines)} crashes, execution.max_crashes is {self._most}; the last: "
                f"{what}"
            )
        self.lines.append(f"{what}; {remedy}")
        log.warning("crash %d of %d: %s", len(self.lines), self._most, self.lines[-1])
