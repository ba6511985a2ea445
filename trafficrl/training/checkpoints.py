"""Checkpoints: a model file with the whole state of its training, and a sidecar beside it.

They are written beside their place and moved there when they are on the disk, the sidecar last: a
training that dies while it writes one still has the one before. What is read has to be whole, by
size, SHA-256 and content; otherwise the newest whole one before it is used.
"""

import io
import json
import logging
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from trafficrl.config.algorithm import LearnerConfig
from trafficrl.errors import CheckpointError, RunError
from trafficrl.files import replacing
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import Sidecar, file_sha256, save_sidecar, sidecar_file, verify_model
from trafficrl.training.models import LoadedModel, load_model, write_model
from trafficrl.training.parts import Learner

__all__ = ["Checkpoint", "Checkpoints", "Origin", "Scores"]

log = logging.getLogger(__name__)
PLAIN, TENSORS = "training.json", "training.pth"
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Origin:
    """What all models of a run have in common."""

    algorithm: LearnerConfig
    network: Network
    facts: dict[str, Any]
    """Fields of a sidecar: config_hash, run, scenarios, simulator, lineage, versions."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What validation said so far."""

    score: float | None
    """The last time."""
    best_score: float | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole training state, read from its file."""

    file: Path
    model: LoadedModel
    plain: dict[str, Any]
    tensors: Tensors


class Checkpoints:
    """Writes the models of a run, and finds the newest whole checkpoint.

    Args:
        paths: of the run.
        origin: what its models come from.
        keep: so many of the newest checkpoints stay.
    """

    def __init__(self, paths: RunPaths, origin: Origin, *, keep: int) -> None:
        self._paths = paths
        self._origin = origin
        self._keep = keep
        paths.checkpoints.mkdir(exist_ok=True)

    def save(self, model: Learner, plain: dict[str, Any], tensors: Tensors, scores: Scores) -> Path:
        """The state stands in a checkpoint of the run; the oldest ones may be gone.

        Raises:
            RunError: it cannot be written; what was there before is whole.
        """
        file = self._paths.checkpoint(int(model.num_timesteps))

        def more(archive: zipfile.ZipFile) -> None:
            archive.writestr(PLAIN, json.dumps(plain))
            # A memory of what signals saw is mostly zeros: a tenth of it is left, in a second for
            # each hundred megabytes.
            archive.compression, archive.compresslevel = zipfile.ZIP_DEFLATED, 1
            with archive.open(TENSORS, "w", force_zip64=True) as stream:
                torch.save(tensors, stream)

        self.save_model(model, file, scores, more)
        self._drop_older_than(file)
        return file

    def save_model(
        self,
        model: Learner,
        file: Path,
        scores: Scores,
        more: Callable[[zipfile.ZipFile], None] = lambda archive: None,
    ) -> None:
        """The model and its sidecar stand there.

        Raises:
            RunError: it cannot be written; what was there before is whole.
        """
        origin = self._origin
        try:
            with replacing(file) as temporary:
                write_model(
                    model, temporary, algorithm=origin.algorithm, network=origin.network, more=more
                )
                size_bytes, digest = temporary.stat().st_size, file_sha256(temporary)
                # Between the two moves there is no whole model of that name.
                sidecar_file(file).unlink(missing_ok=True)
            sidecar = Sidecar(
                timesteps=int(model.num_timesteps),
                created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
                size_bytes=size_bytes,
                sha256=digest,
                network_hash=origin.network.hash,
                **origin.facts,
                score=scores.score,
                best_score=scores.best_score,
            )
            save_sidecar(file, sidecar)
        except (OSError, RuntimeError) as error:  # torch's writer raises the second
            reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
            raise RunError(
                f"{file} cannot be written: {reason}; the last whole checkpoint stays: "
                f"{self._newest_name()}"
            ) from error

    def newest(self) -> Checkpoint | None:
        """The newest whole checkpoint; a warning names every newer one that is not."""
        return next(filter(None, map(load_if_whole, self._files())), None)

    def _files(self) -> list[Path]:
        """Newest first; a sidecar without its model counts, for it is told of."""
        files = {file.with_suffix(".zip") for file in self._paths.checkpoints.glob("step_*.*")}
        return sorted(files, reverse=True)

    def _newest_name(self) -> str:
        return next((file.name for file in self._files() if sidecar_file(file).is_file()), "none")

    def _drop_older_than(self, newest: Path) -> None:
        """What is newer was left out as damaged: it must not push whole ones out."""
        files = [file for file in self._files() if file <= newest]
        for file in files[self._keep :]:
            sidecar_file(file).unlink(missing_ok=True)
            file.unlink(missing_ok=True)


def load_if_whole(file: Path) -> Checkpoint | None:
    """The training state of that file, or a warning why there is none."""
    try:
        return load_checkpoint(file)
    except CheckpointError as error:
        log.warning("checkpoint left out: %s", error)
        return None


def load_checkpoint(file: Path) -> Checkpoint:
    """The training state of that file; no code in it is run.

    Raises:
        CheckpointError: it is missing, damaged, or no checkpoint.
    """
    sidecar = verify_model(file)
    model = load_model(file)
    if (model.timesteps, model.network_hash) != (sidecar.timesteps, sidecar.network_hash):
        raise CheckpointError(f"{file}: its sidecar is that of another model")
    if file.name != f"step_{model.timesteps:010d}.zip":
        raise CheckpointError(f"{file}: it holds {model.timesteps} steps: another one was put here")
    try:
        with zipfile.ZipFile(file) as archive:
            plain = json.loads(archive.read(PLAIN))
            tensors = torch.load(
                io.BytesIO(archive.read(TENSORS)), map_location="cpu", weights_only=True
            )
        if not isinstance(plain, dict) or not isinstance(tensors, dict):
            raise CheckpointError(f"{file}: holds no training state")
        return Checkpoint(file, model, plain, tensors)
    except CheckpointError:
        raise
    # Every exception: what the readers of zip, JSON and tensors raise on damaged bytes has no end.
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise CheckpointError(f"{file}: the training state is damaged: {line}") from error
