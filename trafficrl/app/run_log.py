"""What is logged of a call goes to the run's log and to whoever looks on, as with a command."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["logged"]

FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
"""As in `conf/hydra_settings.yaml`."""


@contextmanager
def logged(file: Path) -> Iterator[None]:
    """Our log lines also go to the file, and to standard output if nobody has set up logging.

    Afterwards the process logs as it did before.
    """
    root, ours = logging.getLogger(), logging.getLogger("trafficrl")
    level = ours.level
    handlers: list[logging.Handler] = [logging.FileHandler(file, encoding="utf-8", delay=True)]
    handlers[0].addFilter(logging.Filter(ours.name))
    if not root.handlers:
        handlers.append(logging.StreamHandler(sys.stdout))
    for handler in handlers:
        handler.setFormatter(FORMAT)
        root.addHandler(handler)
    if not ours.isEnabledFor(logging.INFO):
        ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
