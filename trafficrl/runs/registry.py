"""Models by name: `NAME@TAG` stands for one model, whatever becomes of the run that made it.

    NAME/TAG.yaml       which model has the name
    .files/DIGEST.zip   the model and, beside it, its sidecar

A run replaces its best model and drops its oldest checkpoints, so a model that gets a name is
copied. The file that gives the name is made in one step: any number of processes may do so at once,
and of those that want the same name one gets it.
"""

import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import yaml

from trafficrl.errors import CheckpointError, ConfigError, RunError
from trafficrl.files import replacing, save_new_text, save_text
from trafficrl.runs.model_names import (
    LATEST,
    WORD,
    Registered,
    check_rows,
    checked_label,
    checksum,
    entry_text,
    split_label,
)
from trafficrl.runs.sidecars import Sidecar, file_sha256, save_sidecar, verify_model

__all__ = ["ModelRegistry", "find_registered"]


def find_registered(name: str, registry: Path) -> Path | None:
    """The whole model file that `NAME@TAG` or `NAME` stands for; None where nothing has the name.

    Raises:
        CheckpointError: what the registry holds of it is damaged.
        RunError: the registry cannot be read.
    """
    found = ModelRegistry(registry).find(name)
    if found is None:
        return None
    found.verify()
    return found.file


class ModelRegistry:
    """The named models of one folder, shared by any number of processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tag(self, model: Path, label: str, *, move: bool = False) -> Registered:
        """The model has that name, and a copy of it is safe.

        Args:
            model: a model file with its sidecar.
            label: `NAME@TAG`.
            move: take the name from the model that has it.

        Raises:
            ConfigError: no such name can be given, or another model has it.
            CheckpointError: the model is missing or damaged.
            RunError: the registry cannot be written.
        """
        name, tag = checked_label(label)
        file = self._entry(name, tag)
        if file.exists() and not move:
            raise taken(label)
        sidecar = verify_model(model)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            digest = self._keep(model, sidecar)
            text = entry_text(name, tag, model, sidecar, digest)
            self._give(file, text, label, move=move)
        except OSError as error:
            raise RunError(f"{file} cannot be written: {error.strerror}") from error
        return self.load(name, tag)

    def forget(self, entry: Registered) -> None:
        """Nothing has that name any more. The copy stays: it may get another name right now."""
        file = self._entry(entry.name, entry.tag)
        file.unlink(missing_ok=True)
        with suppress(OSError):  # it has other tags
            file.parent.rmdir()

    def find(self, label: str) -> Registered | None:
        """What `NAME@TAG`, or the newest of `NAME`, stands for; None where nothing has the name.

        Raises:
            CheckpointError: the file that gives the name is damaged.
            RunError: the registry cannot be read.
        """
        parts = split_label(label)
        if parts is None:
            return None
        name, tag = parts
        tags = [tag] if self._entry(name, tag).exists() else []
        if tag == LATEST:
            tags = tags_in(self.folder / name)
        found = [self.load(name, one) for one in tags]
        return max(found, key=lambda one: (one.tagged, one.tag), default=None)

    def labels(self) -> list[str]:
        """Every `NAME@TAG`, sorted.

        Raises:
            RunError: the registry cannot be read.
        """
        folders = [file for file in listed(self.folder) if WORD.fullmatch(file.name)]
        return [f"{folder.name}@{tag}" for folder in folders for tag in tags_in(folder)]

    def labels_of(self, sha256: str) -> list[str]:
        """Every name of the model with that hash; damaged ones are left out."""
        found = []
        for label in self.labels():
            with suppress(CheckpointError):
                if self.load(*label.split("@")).sha256 == sha256:
                    found.append(label)
        return found

    def load(self, name: str, tag: str) -> Registered:
        """What a name that is there stands for.

        Raises:
            CheckpointError: the file that gives the name is missing or damaged.
        """
        file = self._entry(name, tag)
        try:
            rows = yaml.safe_load(file.read_text(encoding="utf-8"))
            check_rows(rows, name, tag)
        except OSError as error:
            raise CheckpointError(f"{file} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(f"{file} is damaged: {reason}") from error
        kept = self._kept(rows["digest"])
        return Registered(name, tag, rows["tagged"], rows["path"], rows["sha256"], kept)

    def _give(self, file: Path, text: str, label: str, *, move: bool) -> None:
        if move:
            save_text(file, text)
            return
        try:
            save_new_text(file, text)
        except FileExistsError as error:
            raise taken(label) from error

    def _keep(self, model: Path, sidecar: Sidecar) -> str:
        """A copy of the model is in the registry, under the digest of its sidecar."""
        digest = checksum(asdict(sidecar))
        kept = self._kept(digest)
        with suppress(CheckpointError):
            verify_model(kept)
            return digest  # it has another name already
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as temporary:
            shutil.copyfile(model, temporary)
            if file_sha256(temporary) != sidecar.sha256:
                raise CheckpointError(f"{model}: it changed while it was copied: try again")
        save_sidecar(kept, sidecar)
        return digest

    def _entry(self, name: str, tag: str) -> Path:
        return self.folder / name / f"{tag}.yaml"

    def _kept(self, digest: str) -> Path:
        return self.folder / ".files" / f"{digest}.zip"


def tags_in(folder: Path) -> list[str]:
    """The tags of the name that has that folder."""
    files = listed(folder) if folder.is_dir() else []
    return [file.stem for file in files if file.suffix == ".yaml" and WORD.fullmatch(file.stem)]


def listed(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing where there is no folder.

    Raises:
        RunError: it cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from error


def taken(label: str) -> ConfigError:
    """The error of a name that is in use."""
    return ConfigError(f"{label} is taken: choose another tag, or --move it to this model")
