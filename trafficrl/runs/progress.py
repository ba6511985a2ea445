"""Long work shows itself: a bar on a terminal, plain lines in a log, with the time that is left."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["ProgressReport"]

log = logging.getLogger(__name__)
LINE_EVERY_S = 15.0


class ProgressReport:
    """Counts one long piece of work up to its total; a context manager.

    Example:
        with ProgressReport("training", total=5000, unit="steps") as progress:
            progress.advance_to(128, "delay 31.2 s")
    """

    def __init__(self, title: str, *, total: int, unit: str) -> None:
        self._title = title
        self._total = total
        self._unit = unit
        self._start = time.monotonic()
        self._last_line = self._start
        self._bar: Progress | None = None
        self._first: int | None = None

    def __enter__(self) -> "ProgressReport":
        if sys.stdout.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[count]}"),
            )
            times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
            self._bar = Progress(*columns, *times, TextColumn("{task.fields[note]}"))
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=self._total, note="", count="")
            self._logging = redirected_logging()
            self._logging.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._logging.__exit__(kind, error, trace)

    def advance_to(self, done: int, note: str = "") -> None:
        """So much is done; a plain line is written now and then, and at the end."""
        if self._first is None:
            self._first = done
        count = f"{done}/{self._total} {self._unit}"
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=note, count=count)
            return
        now = time.monotonic()
        if now - self._last_line >= LINE_EVERY_S or done >= self._total:
            self._last_line = now
            log.info("%s: %s%s %s", self._title, count, self._left(done, now), note)

    def _left(self, done: int, now: float) -> str:
        moved = done - (self._first or 0)
        if not moved or done >= self._total:
            return f", {now - self._start:.0f} s"
        left_s = (self._total - done) * (now - self._start) / moved
        return f", {left_s:.0f} s left"


@contextmanager
def redirected_logging() -> Iterator[None]:
    """Log lines go above a live bar instead of through it."""
    handlers = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    streams = [handler.setStream(sys.stdout) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            if stream is not None:
                handler.setStream(stream)
