"""Models and whole runs in one file to keep or to take elsewhere: a zip with a manifest.

`manifest.json` names every other member with its size and SHA-256, and the models that had a name.
Members lie as they did below the folder where the archive was made.
"""

import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path, PurePosixPath

from trafficrl.errors import CheckpointError, RunError
from trafficrl.files import is_temporary, replacing
from trafficrl.runs.model_names import Registered, checksum
from trafficrl.runs.paths import JOB_LOGS, RunPaths
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.sidecars import load_sidecar, sidecar_file, verify_model

__all__ = ["CHUNK_BYTES", "FORMAT", "MANIFEST", "Member", "Packing", "in_kilobytes", "is_safe"]

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20
UNSAFE = re.compile(r"[\\\x00-\x1f\x7f]|\A[A-Za-z]:")
"""Separators and drives of another system, and what no name of ours holds."""
LEFT_OUT = {".lock", RunPaths(Path()).work.name}
"""What a run needs while it goes on."""


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest says of a file."""

    size_bytes: int
    sha256: str


@dataclass
class Packing:
    """Gathers what goes into an archive, then writes it."""

    files: dict[str, Path] = field(default_factory=dict)
    """Member -> the file that it is made of."""
    named: dict[str, Registered] = field(default_factory=dict)
    """`NAME@TAG` -> what has the name."""

    def add_run(self, folder: Path) -> None:
        """The whole run comes along, but for what it needs only while it goes on.

        Raises:
            RunError: no run folder, or it holds what no archive can.
        """
        paths = RunPaths(folder)
        if not (paths.run.is_file() or paths.resolved_config.is_file()):
            raise RunError(f"{folder} is no run folder: it has no {paths.run.name}")
        for file in files_of(folder):
            self._add(place_of(folder) / file.relative_to(folder).as_posix(), file)

    def add_model(self, model: Path) -> None:
        """The model comes along with its sidecar.

        Raises:
            CheckpointError: it is missing or damaged.
            RunError: another file has its place.
        """
        verify_model(model)
        self._add_model(place_of(model), model)

    def add_registered(self, entry: Registered) -> None:
        """The model comes along with its sidecar and its name.

        Raises:
            CheckpointError: it is missing or damaged.
            RunError: another file has its place.
        """
        entry.verify()
        self._add_model(named_member(entry), entry.file)
        self.named[entry.label] = entry

    def save(self, archive: Path) -> list[str]:
        """The archive holds everything, or is as it was; returns what to mind.

        Raises:
            RunError: a file cannot be read, or the archive not be written.
        """
        try:
            total = sum(file.stat().st_size for file in self.files.values())
            archive.parent.mkdir(parents=True, exist_ok=True)
            with (
                replacing(archive) as temporary,
                ProgressReport("export", total=in_kilobytes(total), unit="kB") as progress,
                zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as out,
            ):
                members: dict[str, Member] = {}
                for name, file in sorted(self.files.items()):  # a model beside its sidecar
                    members[name] = write_member(out, name, file)
                    done = sum(one.size_bytes for one in members.values())
                    progress.advance_to(done // 1000)
                # In the order in which they were given: the last one will be the newest again.
                entries = sorted(self.named.values(), key=lambda entry: entry.tagged)
                names = {entry.label: str(named_member(entry)) for entry in entries}
                out.writestr(MANIFEST, manifest_text(members, names))
                progress.advance_to(in_kilobytes(total))
        except OSError as error:
            raise RunError(f"{archive}: {error.filename or ''}: {error.strerror}") from error
        return list(self._changed(members))

    def _changed(self, members: dict[str, Member]) -> Iterator[str]:
        """Which models are not those of their sidecars: a backup keeps them, but says so."""
        for name, file in self.files.items():
            if file.suffix != ".zip" or str(sidecar_file(Path(name))) not in members:
                continue
            try:
                whole = load_sidecar(file).sha256 == members[name].sha256
            except CheckpointError:
                whole = False
            if not whole:
                yield f"{file} is damaged or was being written; the archive has it as it was"

    def _add_model(self, member: PurePosixPath, model: Path) -> None:
        self._add(member, model)
        self._add(member.with_suffix(".yaml"), sidecar_file(model))

    def _add(self, member: PurePosixPath, file: Path) -> None:
        name = str(member)
        if not is_safe(name) or name == MANIFEST:
            raise RunError(f"{file}: an archive cannot hold a file of that name: {name!r}")
        if self.files.setdefault(name, file).resolve() != file.resolve():
            raise RunError(
                f"{file} and {self.files[name]} would both be {name} in the archive: export them "
                "from a folder that both lie in, or each on its own"
            )


def named_member(entry: Registered) -> PurePosixPath:
    """Where the model that has a name stands in an archive."""
    return PurePosixPath("models", f"{entry.label}.zip")


def place_of(path: Path) -> PurePosixPath:
    """Where a path stands in an archive: as below the current folder, or under its name alone."""
    here, there = Path.cwd(), path.resolve()
    inside = there.is_relative_to(here) and there != here
    return PurePosixPath(there.relative_to(here).as_posix() if inside else there.name)


def files_of(folder: Path) -> Iterator[Path]:
    """Every file below a run folder that is worth keeping; a job's log, a link, as what it says.

    Raises:
        RunError: a folder that cannot be read, or something that is no plain file.
    """

    def refuse(error: OSError) -> None:
        raise RunError(f"{error.filename} cannot be read: {error.strerror}") from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        if Path(root) == folder:
            folders[:] = [name for name in folders if name not in LEFT_OUT]
        files = [name for name in names if name not in LEFT_OUT and not is_temporary(name)]
        logs = [name for name in files if name in JOB_LOGS and Path(root) == folder]
        files = [name for name in files if name not in logs or Path(root, name).is_file()]
        for path in (Path(root, name) for name in [*folders, *files]):
            followed = path.name in logs and path.is_file()
            if (path.is_symlink() and not followed) or not (path.is_file() or path.is_dir()):
                raise RunError(f"{path} is a link or no plain file, which no archive keeps")
        yield from (Path(root, name) for name in sorted(files))


def write_member(out: zipfile.ZipFile, name: str, file: Path) -> Member:
    """The file is in the archive; its hash is that of what was written."""
    info = zipfile.ZipInfo.from_file(file, name, strict_timestamps=False)
    # Models and compressed networks are packed already.
    packed = file.suffix in {".zip", ".gz"}
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    digest, size_bytes = sha256(), 0
    with file.open("rb") as source, out.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            target.write(chunk)
    return Member(size_bytes, digest.hexdigest())


def manifest_text(members: dict[str, Member], names: dict[str, str]) -> str:
    """What the manifest says."""
    rows = {
        "format": FORMAT,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "files": {
            name: {"size_bytes": member.size_bytes, "sha256": member.sha256}
            for name, member in members.items()
        },
        "names": names,
    }
    return json.dumps(rows | {"checksum": checksum(rows)}, indent=1)


def is_safe(name: str) -> bool:
    """Whether a member of that name stays in the folder where an archive is unpacked."""
    parts = name.split("/")
    return not UNSAFE.search(name) and not {"", ".", ".."} & set(parts)


def in_kilobytes(size_bytes: int) -> int:
    """A total for counts of progress, which nothing reaches before the end."""
    return size_bytes // 1000 + 1
