"""Files that are whole or not there: written beside their place, then moved in one step."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

__all__ = ["is_temporary", "remove_leftovers", "replacing", "save_new_text", "save_text"]

LEFTOVER = re.compile(r"\..+-[0-9a-f]{32}(\.\w+)?")


@contextmanager
def replacing(file: Path, *, durable: bool = True) -> Iterator[Path]:
    """Gives a temporary path beside the file; it takes the file's place when the block succeeds.

    Many processes may do so at once: the last one wins, and each state is a whole file. A durable
    file is on the disk before it takes its place, so that a power cut leaves the old one or the
    new one.
    """
    temporary = temporary_name(file)
    temporary.touch(exist_ok=False)  # with the rights that the user's umask leaves to new files
    try:
        yield temporary
        if durable:
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def save_text(file: Path, text: str, *, durable: bool = True) -> None:
    """The file holds the text, or is as it was before."""
    with replacing(file, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def save_new_text(file: Path, text: str) -> None:
    """The file is new and holds the text: of several processes that want it at once, one gets it.

    Raises:
        FileExistsError: the file is there already, and as it was.
    """
    temporary = temporary_name(file)
    try:
        save_text(temporary, text)
        os.link(temporary, file)  # unlike a rename, this never takes another file's place
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """What processes that were killed inside `replacing` left in the folder is gone."""
    for file in folder.glob(".*") if folder.is_dir() else ():
        if is_temporary(file.name):
            file.unlink(missing_ok=True)


def temporary_name(file: Path) -> Path:
    """Beside the file, and nobody else's."""
    return file.with_name(f".{file.stem}-{uuid4().hex}{file.suffix}")


def is_temporary(name: str) -> bool:
    """Whether a file of that name is one that is being written, or was when its writer died."""
    return LEFTOVER.fullmatch(name) is not None
