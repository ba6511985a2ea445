"""Rows in Parquet files that are never changed: any number of processes write, each its own.

A file gets its name when it is whole and on the disk; whatever a killed writer leaves has another
ending, which no reader looks at. So there is nothing to lock and nothing to repair.
"""

import logging
import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from trafficrl.errors import RunError

__all__ = [
    "SUFFIX",
    "check_writable",
    "list_shards",
    "read_shards",
    "remove_unfinished",
    "write_shard",
]

log = logging.getLogger(__name__)
SUFFIX = ".parquet"
UNFINISHED = ".unfinished"
LONGEST_WRITE_S = 86_400.0
"""Nobody writes one file for a day: older unfinished ones are of writers that were killed."""

Columns = Mapping[str, str]
"""Name -> DuckDB's type."""
Row = tuple[Any, ...]


def write_shard(file: Path, columns: Columns, rows: Sequence[Sequence[Any]]) -> None:
    """The file holds the rows, or is not there.

    Raises:
        RunError: it cannot be written.
    """
    row = "(" + ", ".join(f"?::{kind}" for kind in columns.values()) + ")"
    values = ", ".join([row] * len(rows))
    names = ", ".join(map(quoted_name, columns))
    temporary = file.with_suffix(UNFINISHED)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection().execute(
            f"COPY (SELECT * FROM (VALUES {values}) AS row_({names})) "  # noqa: S608 - our names
            f"TO {quoted(temporary)} (FORMAT parquet, USE_TMP_FILE false)",
            [value for one in rows for value in one],
        )
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(file)
    except (OSError, duckdb.Error) as error:
        with suppress(OSError):  # what kept it from being written may keep it there
            temporary.unlink()
        raise RunError(f"{file} cannot be written: {one_line(error)}") from error


def check_writable(folder: Path) -> None:
    """Return when files can be written in the folder, which is there then.

    Raises:
        RunError: they cannot.
    """
    file = folder / f"{uuid4().hex}{UNFINISHED}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.touch()
        file.unlink()
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from error


def remove_unfinished(folder: Path) -> None:
    """What killed writers left in the folder is gone; what may still be written stays."""
    for file in folder.glob(f"*{UNFINISHED}"):
        with suppress(OSError):  # another process removes them too, or we may not: it does no harm
            if time.time() - file.stat().st_mtime > LONGEST_WRITE_S:
                file.unlink()


def list_shards(folder: Path) -> list[Path]:
    """The whole files of a folder, sorted by name; none where there is no folder.

    Raises:
        RunError: the folder cannot be read.
    """
    try:
        return sorted(file for file in folder.iterdir() if file.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from error


def read_shards(
    files: Sequence[Path], columns: Columns, *, optional: Collection[str] = ()
) -> list[Row]:
    """All rows of the files, in their order; a file that is damaged or has other columns is named
    in a warning and left out.

    Args:
        files: to read.
        columns: of a row.
        optional: those of them that files of earlier versions may lack; None stands there then.
    """
    if not files:
        return []
    try:
        return _read(files, columns)
    except duckdb.Error:  # some file of them: find out which, one by one
        return [row for file in files for row in _read_if_sound(file, columns, optional)]


def _read_if_sound(file: Path, columns: Columns, optional: Collection[str]) -> list[Row]:
    try:
        return _read([file], columns)
    except duckdb.BinderException:
        description = connection().execute(f"SELECT * FROM {source([file])} LIMIT 0").description  # noqa: S608
        missing = sorted(set(columns) - {name for name, *_ in description})
        if set(missing) <= set(optional):
            return _read([file], columns, missing)
        log.warning("%s is left out: it has no column %s", file, ", ".join(missing))
    except duckdb.Error as error:
        log.warning("%s is damaged and left out: %s", file, one_line(error))
    return []


def _read(files: Sequence[Path], columns: Columns, missing: Collection[str] = ()) -> list[Row]:
    wanted = ", ".join(
        f"{'NULL' if name in missing else quoted_name(name)}::{kind}"
        for name, kind in columns.items()
    )
    return connection().execute(f"SELECT {wanted} FROM {source(files)}").fetchall()  # noqa: S608


def source(files: Sequence[Path]) -> str:
    """The rows of the files, as SQL: a folder named `delay_s=5` is no column."""
    return f"read_parquet([{', '.join(map(quoted, files))}], hive_partitioning = false)"


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """DuckDB in memory: it fetches no extensions and reads nothing but what it is told to."""
    return duckdb.connect(
        config={
            "threads": 1,  # episodes run beside it
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
    )


def quoted(text: object) -> str:
    """SQL text."""
    return "'" + str(text).replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """A column's name in SQL."""
    return f'"{name}"'


def one_line(error: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(str(error).split())
