"""What a model's name may be, and the small file that gives it to a model."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from trafficrl.errors import CheckpointError, ConfigError
from trafficrl.runs.sidecars import Sidecar, verify_model

__all__ = [
    "LATEST",
    "WORD",
    "Registered",
    "check_rows",
    "checked_label",
    "checksum",
    "entry_text",
    "split_label",
]

FORMAT = 1
LATEST = "latest"
"""Stands for the tag that was given last; no tag of its own."""
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
DIGEST = re.compile(r"[0-9a-f]{64}")
FIELDS = {"format", "name", "tag", "tagged", "path", "sha256", "digest", "checksum"}


@dataclass(frozen=True, slots=True)
class Registered:
    """A model that has a name."""

    name: str
    tag: str
    tagged: str
    """When, ISO 8601 in UTC."""
    path: str
    """Where the model lay then; it may have gone since."""
    sha256: str
    """Of the model file."""
    file: Path
    """The registry's own copy."""

    @property
    def label(self) -> str:
        """`NAME@TAG`."""
        return f"{self.name}@{self.tag}"

    def verify(self) -> Sidecar:
        """The sidecar of the model, which is the one that got the name.

        Raises:
            CheckpointError: the registry's copy is missing, damaged or another one.
        """
        try:
            sidecar = verify_model(self.file)
        except CheckpointError as error:
            raise CheckpointError(f"{self.label}: {error}") from error
        if sidecar.sha256 != self.sha256:
            raise CheckpointError(f"{self.label}: {self.file} is not the model that was tagged")
        return sidecar


def split_label(text: str) -> tuple[str, str] | None:
    """Name and tag, `latest` where none is given; None for what cannot name a model.

    What ends with `.zip` is the path of a model file, as everywhere.
    """
    name, at, tag = text.partition("@")
    words = (name, tag if at else LATEST)
    fits = all(WORD.fullmatch(word) for word in words) and not text.endswith(".zip")
    return words if fits else None


def checked_label(label: str) -> tuple[str, str]:
    """Name and tag of a label that can be given to a model.

    Raises:
        ConfigError: it cannot.
    """
    parts = split_label(label)
    if parts is None or "@" not in label:
        raise ConfigError(
            "a model is named NAME@TAG, such as city@v1: each of letters, digits and . _ - (at "
            f"most 100, a letter or digit first), and no .zip at the end, got {label!r}"
        )
    if parts[1] == LATEST:
        raise ConfigError(f"{label}: {LATEST} always stands for the newest tag; choose another")
    return parts


def entry_text(name: str, tag: str, model: Path, sidecar: Sidecar, digest: str) -> str:
    """The file that gives a model its name."""
    rows = {
        "format": FORMAT,
        "name": name,
        "tag": tag,
        "tagged": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        "path": str(model.resolve()),
        "sha256": sidecar.sha256,
        "digest": digest,
    }
    return yaml.safe_dump(rows | {"checksum": checksum(rows)}, sort_keys=False)


def check_rows(rows: Any, name: str, tag: str) -> None:
    """Return when a file gives this name to a model, and is as it was written.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(rows, dict) or rows.keys() != FIELDS:
        raise ValueError("it does not have the fields of a named model")
    if rows["format"] != FORMAT or not all(
        isinstance(rows[key], str) for key in FIELDS - {"format"}
    ):
        raise ValueError("a value is of the wrong kind, or it is of another format")
    if rows["checksum"] != checksum({key: rows[key] for key in rows if key != "checksum"}):
        raise ValueError("its checksum is wrong")
    if (rows["name"], rows["tag"]) != (name, tag):
        raise ValueError(f"it names {rows['name']}@{rows['tag']}")
    if not all(DIGEST.fullmatch(rows[key]) for key in ("sha256", "digest")):
        raise ValueError("a hash is none")
    datetime.fromisoformat(rows["tagged"])


def checksum(values: dict[str, Any]) -> str:
    """SHA-256 of plain values."""
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
