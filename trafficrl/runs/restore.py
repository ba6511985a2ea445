"""Unpacks an archive of models and runs: all of it as it was packed, or nothing.

An archive may come from anybody, so nothing in it is believed: a member stays in the folder, is a
plain file, stands in the manifest and has the size and hash that stand there, and no file that is
there already is replaced.
"""

import json
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from trafficrl.errors import RunError, TrafficRLError
from trafficrl.runs.archive import CHUNK_BYTES, FORMAT, MANIFEST, Member, in_kilobytes, is_safe
from trafficrl.runs.model_names import checked_label, checksum
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.registry import ModelRegistry
from trafficrl.runs.sidecars import file_sha256, verify_model

__all__ = ["Restored", "restore"]

LARGEST_MANIFEST_BYTES = 64 << 20
STAGING = ".import"
Files = dict[str, Member]
"""Members of an archive but for the manifest."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came out of an archive."""

    num_files: int
    labels: tuple[str, ...]
    """Models that were given their name again."""


def restore(archive: Path, to: Path, registry: ModelRegistry) -> Restored:
    """The folder holds all files of the archive, and its models have their names.

    Raises:
        RunError: the archive is damaged or no good, a file or a name is in use, or the folder
            cannot be written; everything is as it was before.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            check_members(source, archive.stat().st_size)
            files, names = read_manifest(source)
            check_free(to, files)
            new = [label for label in names if is_new(label, files[names[label]], registry)]
            with made(to), staging_folder(to) as staging, ExitStack() as undo:
                unpack(source, files, staging)
                check_models(staging, names)
                for one, place in moves(staging, to):
                    one.rename(place)
                    undo.callback(place.rename, one)
                for label in new:
                    undo.callback(registry.forget, registry.tag(to / names[label], label))
                undo.pop_all()
    except TrafficRLError as error:
        reason = re.sub(rf"{STAGING}-[0-9a-f]+/", "", str(error))
        raise RunError(f"{archive}: nothing was restored: {reason}") from error
    except OSError as error:
        reason = f"{error.filename or to}: {error.strerror}"
        raise RunError(f"{archive}: nothing was restored: {reason}") from error
    # Every exception: what the readers of zip and JSON raise on damaged bytes has no end.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise RunError(f"{archive} is damaged: nothing was restored: {reason}") from error
    return Restored(len(files), tuple(new))


def check_members(source: zipfile.ZipFile, archive_bytes: int) -> None:
    """Return when each member is a plain file that stays in the folder.

    Raises:
        RunError: one is not.
    """
    infos = source.infolist()
    if len({info.filename for info in infos}) < len(infos):
        raise RunError("it has a member twice")
    if sum(info.compress_size for info in infos) > archive_bytes:
        raise RunError("its members lie in each other")
    for info in infos:
        # zipfile makes some names harmless without a word: the one that was written counts.
        if info.filename != info.orig_filename or not is_safe(info.filename):
            raise RunError(f"the path {info.orig_filename!r} may leave the folder")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise RunError(f"{info.filename!r} is a link or no plain file")


def read_manifest(source: zipfile.ZipFile) -> tuple[Files, dict[str, str]]:
    """All other members, and name -> member of its model; they are those of the archive.

    Raises:
        RunError: the manifest is missing, damaged, or does not fit the archive.
    """
    sizes = {info.filename: info.file_size for info in source.infolist()}
    size_bytes = sizes.pop(MANIFEST, None)
    if size_bytes is None or size_bytes > LARGEST_MANIFEST_BYTES:
        raise RunError(f"it was not made by trafficrl-models export: no {MANIFEST} of ours")
    rows = json.loads(source.read(MANIFEST))
    if rows.get("format") != FORMAT:
        raise RunError(f"it is of format {rows.get('format')!r}; this version reads {FORMAT}")
    if rows.pop("checksum", None) != checksum(rows):
        raise RunError(f"{MANIFEST} is damaged")
    files = {name: Member(**row) for name, row in rows["files"].items()}
    for name in sorted(sizes.keys() ^ files.keys()):
        there, absent = (MANIFEST, "archive") if name in files else ("the archive", MANIFEST)
        raise RunError(f"{name!r} is in {there}, but not in the {absent}")
    for name, member in files.items():
        if member.size_bytes != sizes[name]:
            raise RunError(f"{name!r} has another size than in {MANIFEST}")
    names: dict[str, str] = rows["names"]
    for label, member_name in names.items():
        checked_label(label)
        if member_name not in files:
            raise RunError(f"{label} names {member_name!r}, which is not in the archive")
    return files, names


def check_free(to: Path, files: Files) -> None:
    """Return when nothing is in the way of the files, and there is room for them.

    Raises:
        RunError: otherwise.
    """
    for name, member in files.items():
        place = to / name
        if not place.parent.resolve().is_relative_to(to.resolve()):
            raise RunError(f"{place} would leave {to} through a link")
        if not place.is_symlink() and not place.exists():
            continue
        if not (place.is_file() and file_sha256(place) == member.sha256):
            raise RunError(f"{place} is there already, with other content")
    needed = sum(member.size_bytes for member in files.values())
    there = next(folder for folder in (to.resolve(), *to.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise RunError(f"{needed / 1e6:.0f} MB are needed in {to}, {free / 1e6:.0f} MB are free")


def is_new(label: str, member: Member, registry: ModelRegistry) -> bool:
    """Whether the name is to be given; not where this model has it already.

    Raises:
        RunError: another model has it.
        CheckpointError: what the registry says of it is damaged.
    """
    entry = registry.find(label)
    if entry is not None and entry.sha256 != member.sha256:
        raise RunError(f"{label} is another model in {registry.folder}")
    return entry is None


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """The folder is there in the block; if that fails, no folder is left that was not before."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for one in missing:
            with suppress(OSError):  # somebody else has put something there
                one.rmdir()
        raise


@contextmanager
def staging_folder(to: Path) -> Iterator[Path]:
    """Inside the target, so that moving a file from there is one step."""
    staging = to / f"{STAGING}-{uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def unpack(source: zipfile.ZipFile, files: Files, folder: Path) -> None:
    """The folder holds each file, with the size and hash of the manifest.

    Raises:
        RunError: one has others.
    """
    total = sum(member.size_bytes for member in files.values())
    done = 0
    with ProgressReport("import", total=in_kilobytes(total), unit="kB") as progress:
        for name, member in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            digest = sha256()
            with source.open(name) as packed, place.open("xb") as target:
                while chunk := packed.read(CHUNK_BYTES):
                    digest.update(chunk)
                    target.write(chunk)
            if digest.hexdigest() != member.sha256:
                raise RunError(f"{name!r} is damaged: its SHA-256 is not that of {MANIFEST}")
            done += member.size_bytes
            progress.advance_to(done // 1000)
        progress.advance_to(in_kilobytes(total))


def check_models(folder: Path, names: dict[str, str]) -> None:
    """Return when each model that has a name is whole.

    Raises:
        CheckpointError: one is not.
    """
    for member in names.values():
        verify_model(folder / member)


def moves(staged: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """What has to be moved where: whole folders where that is possible."""
    for one in sorted(staged.iterdir()):
        place = target / one.name
        if not place.exists():
            yield one, place
        elif one.is_dir():
            yield from moves(one, place)
