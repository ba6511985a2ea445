"""What stands beside every model file: where it comes from, what it is worth, and its SHA-256.

`step_0000012288.yaml` belongs to `step_0000012288.zip` and is written after it: a model without a
whole sidecar was never finished. It is plain YAML for people to read, and its own last line is a
checksum of all the others.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from trafficrl.errors import CheckpointError
from trafficrl.files import save_text

__all__ = [
    "Ancestor",
    "Sidecar",
    "file_sha256",
    "load_sidecar",
    "save_sidecar",
    "sidecar_file",
    "verify_model",
]

FORMAT = 1
MICRO = "micro"
"""What sidecars mean that are older than the choice of SUMO's model."""
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A model that another one went on from."""

    run: str
    """Folder of its run."""
    timesteps: int
    scenarios: tuple[str, ...]
    """What it had learned on in that run."""
    sha256: str
    """Of its file."""
    simulator: str = MICRO
    """SUMO's model that it had learned in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """Everything about a model that can be known without reading it."""

    timesteps: int
    """Environment steps that it has learned from, over its whole lineage."""
    created: str
    """ISO 8601, UTC."""
    size_bytes: int
    sha256: str
    """Of the model file."""
    score: float | None = None
    """Of its last validation, if any."""
    best_score: float | None = None
    """Of the best model of its run until then."""
    config_hash: str
    """Of the configuration that it was trained with (`config.load.config_hash`)."""
    network_hash: str
    run: str
    """Folder of its run."""
    scenarios: tuple[str, ...]
    simulator: str = MICRO
    """SUMO's model, in that run."""
    lineage: tuple[Ancestor, ...] = ()
    """The models that it goes back to, oldest first."""
    versions: dict[str, str] = field(default_factory=dict)


def sidecar_file(model: Path) -> Path:
    """Where the sidecar of a model file lies."""
    return model.with_suffix(".yaml")


def file_sha256(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def save_sidecar(model: Path, sidecar: Sidecar) -> None:
    """The sidecar stands beside the model, or what was there before."""
    rows: dict[str, Any] = {"format": FORMAT, **asdict(sidecar)}
    plain = json.loads(json.dumps(rows))  # tuples are lists from here on
    text = yaml.safe_dump(plain | {"checksum": _checksum(plain)}, sort_keys=False)
    save_text(sidecar_file(model), text)


def load_sidecar(model: Path) -> Sidecar:
    """What stands beside a model file; the model itself is not read.

    Raises:
        CheckpointError: the sidecar is missing, damaged, or of another format.
    """
    file = sidecar_file(model)
    try:
        text = file.read_text(encoding="utf-8")
        # Aliases of aliases are a small file and a value without end; we write none.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise CheckpointError(f"{file}: the sidecar is damaged: it holds aliases")
        rows = yaml.safe_load(text)
        checksum = rows.pop("checksum")
        if rows.pop("format") != FORMAT or checksum != _checksum({"format": FORMAT, **rows}):
            raise CheckpointError(f"{file}: the sidecar is damaged, or of another format")
        return _sidecar(rows)
    except OSError as error:
        raise CheckpointError(f"{file}: no whole model: {error.strerror}") from error
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        yaml.YAMLError,
    ) as error:
        raise CheckpointError(f"{file}: the sidecar is damaged") from error


def verify_model(model: Path) -> Sidecar:
    """The sidecar of a model file whose bytes are those that were written.

    Raises:
        CheckpointError: the file or its sidecar is missing or damaged.
    """
    sidecar = load_sidecar(model)
    try:
        size_bytes = model.stat().st_size
        if size_bytes != sidecar.size_bytes:
            raise CheckpointError(
                f"{model}: {size_bytes} bytes instead of {sidecar.size_bytes}: cut off, or another "
                "file"
            )
        if file_sha256(model) != sidecar.sha256:
            raise CheckpointError(f"{model}: damaged: its SHA-256 is not that of its sidecar")
    except OSError as error:
        raise CheckpointError(f"{model}: cannot be read: {error.strerror}") from error
    return sidecar


def _checksum(rows: dict[str, Any]) -> str:
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _sidecar(rows: dict[str, Any]) -> Sidecar:
    rows = {"simulator": MICRO, **rows}
    unknown = rows.keys() ^ {entry.name for entry in fields(Sidecar)}
    if unknown:
        raise ValueError(f"unknown or missing {unknown}")
    lineage = tuple(
        Ancestor(**{**row, "scenarios": tuple(row["scenarios"])}) for row in rows["lineage"]
    )
    return Sidecar(**{**rows, "lineage": lineage, "scenarios": tuple(rows["scenarios"])})
