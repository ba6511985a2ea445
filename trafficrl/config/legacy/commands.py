"""A legacy command line, `--network-seed 24208 --grid_dimension 6 ...`, as its keys."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from trafficrl.config.legacy.reading import Entry, Legacy
from trafficrl.config.legacy.table import find_key
from trafficrl.errors import ConfigError

__all__ = ["read_command", "read_commands"]

CONTINUED = re.compile(r"\\[ \t]*\r?\n")
SHORT = re.compile(r"-[A-Za-z]")
"""What begins an option of one hyphen; a negative number does not."""


def read_command(
    command: str, *, name: str = "command", place: str = "command", folder: Path = Path()
) -> Legacy:
    """What the options of one command say; up to a `.py` or the name after `-m` it is the program.

    Args:
        command: as a shell would read it.
        name: of the experiment.
        place: where it was found, to begin messages with.
        folder: where its relative paths begin.

    Raises:
        ConfigError: it cannot be read, has no options or short ones, or gives one twice.
    """
    try:
        tokens = shlex.split(CONTINUED.sub(" ", command), comments=True)
    except ValueError as error:
        raise ConfigError(f"{place}: cannot read {command!r}: {error}") from error
    tokens = tokens[_length_of_program(tokens) :]
    for word in tokens:
        if SHORT.match(word):
            raise ConfigError(f"{place}: {word} is no option of the earlier program: write --KEY")
    entries: list[Entry] = []
    for option, words in _options(tokens):
        known = find_key("", option)
        twin = next((one for one in entries if known is not None and one.known is known), None)
        if twin:
            raise ConfigError(f"{place}: --{option} is given twice, also as --{twin.path}")
        value = " ".join(words) if words else True
        entries.append(Entry(option, value, place, folder, known))
    if not entries:
        raise ConfigError(f"{place}: {command!r} has no options: write --KEY VALUE ...")
    words = list(takewhile(lambda token: not token.startswith("--"), tokens))
    before = f"words before --{entries[0].path}"
    skipped = (Entry(before, " ".join(words), place, folder, None),) if words else ()
    return Legacy(name, "command", tuple(entries), skipped=skipped)


def read_commands(file: Path) -> list[Legacy]:
    """The commands of a text file, one a line; a line may go on after a backslash.

    Raises:
        ConfigError: the file cannot be read, or a command of it.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is damaged: it is no text") from error
    found = list(_lines(text))
    if not found:
        raise ConfigError(f"{file} holds no command")
    return [
        read_command(
            line,
            name=file.stem if len(found) == 1 else f"{file.stem}_{count}",
            place=f"{file}:{number}",
            folder=file.parent,
        )
        for count, (number, line) in enumerate(found, start=1)
    ]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number of the first line, and the whole command."""
    number = 1
    for line in CONTINUED.sub(lambda match: "\0", text).splitlines():
        command = line.replace("\0", " ").strip()
        if command and not command.startswith("#"):
            yield number, command
        number += 1 + line.count("\0")


def _length_of_program(tokens: list[str]) -> int:
    """How many words it is called with, `python simulate.py`; 0 where that cannot be told."""
    first = list(takewhile(lambda token: not token.startswith("--"), tokens))
    ends = (
        number
        for number, word in enumerate(first, start=1)
        if word.endswith(".py") or first[number - 2 : number - 1] == ["-m"]
    )
    return max(ends, default=0)


def _options(tokens: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with the words up to the next one; a single hyphen begins a negative number."""
    option, words = "", list[str]()
    for token in tokens:
        if token.startswith("--") and len(token) > 2:
            if option:
                yield option, words
            option, equals, value = token[2:].partition("=")
            words = [value] if equals else []
        else:
            words.append(token)
    if option:
        yield option, words
