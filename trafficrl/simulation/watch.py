"""SUMO's own errors become ours where they are met."""

from collections.abc import Callable
from types import TracebackType

from trafficrl.errors import SimulationError
from trafficrl.simulation.backend import SUMO_ERRORS

__all__ = ["Watch"]


class Watch:
    """While it is entered, SUMO's own errors become ours.

    It is entered several times in a simulated second, so it is made once and costs next to nothing.

    Args:
        failed: makes one of ours from what SUMO did (`died`) and its error.
        what: it did.
    """

    def __init__(self, failed: Callable[[str, BaseException], SimulationError], what: str) -> None:
        self._failed = failed
        self._what = what

    def __enter__(self) -> None:
        """Errors are watched for."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and isinstance(error, SUMO_ERRORS):
            raise self._failed(self._what, error) from error
