"""Files that are whole or not there: written beside their place, then moved in one step."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

__all__ = ["replacing", "save_text"]


@contextmanager
def replacing(file: Path, *, durable: bool = True) -> Iterator[Path]:
    """Gives a temporary path beside the file; it takes the file's place when the block succeeds.

    Many processes may do so at once: the last one wins, and each state is a whole file. A durable
    file is on the disk before it takes its place, so that a power cut leaves the old one or the
    new one.
    """
    temporary = file.with_name(f".{file.stem}-{uuid4().hex}{file.suffix}")
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
