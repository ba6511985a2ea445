"""The only way to XML that somebody else wrote: plain or gzipped, and never with a document type.

A document type is where entities are declared, which could grow without end or read other files;
it is refused before anything else of the file counts. Nothing of a file is ever run.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn, cast
from xml.etree import ElementTree as ET
from xml.parsers import expat

from trafficrl.files import replacing

__all__ = ["XMLFileError", "check_xml", "iter_xml", "parse_xml", "unpack_xml"]

CHUNK = 1 << 16


class XMLFileError(Exception):
    """Why a file cannot be used: "FILE is damaged: ...". Its caller says what it was to be."""


def parse_xml(file: Path) -> ET.Element:
    """The root of a file, `.gz` or plain.

    Raises:
        XMLFileError: the file is missing, damaged, or declares a document type.
    """
    check_xml(file)
    with _reading(file) as source:
        return ET.parse(source).getroot()  # noqa: S314 - no document type, so no entities


def iter_xml(file: Path) -> Iterator[ET.Element]:
    """The root, for its attributes, then its children one by one, each whole; little is kept.

    Raises:
        XMLFileError: as `parse_xml`, at the place where it shows.
    """
    check_xml(file)
    with _reading(file) as source:
        events = ET.iterparse(source, events=("start", "end"))  # noqa: S314 - as above
        depth = 0
        for event, element in events:
            if event == "start":
                if depth == 0:
                    root = element
                    yield root
                depth += 1
                continue
            depth -= 1
            if depth == 1:
                yield element
                root.clear()


def unpack_xml(file: Path, target: Path) -> None:
    """Target holds the plain content of a file; whether that is whole XML is not looked at.

    Raises:
        XMLFileError: the file is missing, no whole gzip, or declares a document type.
    """
    check_xml(file)
    with _reading(file) as source, replacing(target) as temporary, temporary.open("wb") as out:
        while chunk := source.read(CHUNK):
            out.write(chunk)


def check_xml(file: Path) -> None:
    """Return when a program that expands entities could be given the file: it declares none.

    Raises:
        XMLFileError: the file is missing, is no XML, or declares a document type.
    """
    elements = []

    def refuse(name: str, *rest: object) -> NoReturn:
        raise XMLFileError(f"{file} is refused: a document type ({name}) is not allowed")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: elements.append(name)
    with _reading(file) as source:
        while not elements:  # after the first, there can be no document type
            chunk = source.read(CHUNK)
            parser.Parse(chunk, not chunk)


@contextmanager
def _reading(file: Path) -> Iterator[BinaryIO]:
    """The plain content; whatever goes wrong with the file becomes one error."""
    try:
        with _open(file) as source:
            yield source
    except (ET.ParseError, expat.ExpatError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise XMLFileError(f"{file} is damaged: {error}") from error
    except OSError as error:
        raise XMLFileError(f"{file} cannot be read: {error.strerror or error}") from error


def _open(file: Path) -> BinaryIO:
    if file.suffix == ".gz":
        return cast(BinaryIO, gzip.open(file, "rb"))
    return file.open("rb")
