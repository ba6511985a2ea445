"""`trackers/NAME.json`: which run of a tracker a run folder belongs to, and what it was told."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from trafficrl.files import save_text

__all__ = ["Kept", "load_kept", "save_kept"]


@dataclass(slots=True)
class Kept:
    """So much of the run is with the tracker; all empty before it began."""

    id: str = ""
    step: int = -1
    """Environment step of the last update that was told."""
    config: str = ""
    """SHA-256 of the configuration that the run began with."""
    model: str = ""
    """SHA-256 of the best model that was told last."""


def load_kept(file: Path) -> Kept:
    """What the file says; empty where there is none.

    Raises:
        ValueError, TypeError: it is damaged.
    """
    return Kept(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else Kept()


def save_kept(kept: Kept, file: Path) -> None:
    """The file says so, or what it said before."""
    save_text(file, json.dumps(asdict(kept), indent=2) + "\n", durable=False)
