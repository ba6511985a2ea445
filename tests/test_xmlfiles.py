"""XML that somebody else wrote: read whole or refused, never expanded."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from trafficrl.xmlfiles import XMLFileError, check_xml, iter_xml, parse_xml, unpack_xml

TEXT = '<?xml version="1.0"?>\n<!-- made by hand -->\n<a b="1"><c><d/></c><c e="2"/></a>\n'
BOMB = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>'


def unpack(file: Path) -> None:
    unpack_xml(file, file.with_name("plain.xml"))


READERS = pytest.mark.parametrize(
    "read", [parse_xml, lambda file: list(iter_xml(file)), unpack, check_xml]
)


def written(folder: Path, text: str, *, packed: bool) -> Path:
    file = folder / ("a.xml.gz" if packed else "a.xml")
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return file


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_whole(tmp_path: Path, packed: bool) -> None:
    file = written(tmp_path, TEXT, packed=packed)
    root = parse_xml(file)
    assert root.tag == "a"
    assert [child.attrib for child in root] == [{}, {"e": "2"}]
    seen = [(element.tag, dict(element.attrib), element.find("d")) for element in iter_xml(file)]
    assert [(tag, attributes, d is None) for tag, attributes, d in seen] == [
        ("a", {"b": "1"}, True),
        ("c", {}, False),
        ("c", {"e": "2"}, True),
    ]
    unpack(file)
    assert (tmp_path / "plain.xml").read_text(encoding="utf-8") == TEXT


@READERS
@pytest.mark.parametrize("packed", [False, True])
def test_a_document_type_is_refused(
    tmp_path: Path, packed: bool, read: Callable[[Path], object]
) -> None:
    file = written(tmp_path, BOMB, packed=packed)
    with pytest.raises(XMLFileError, match=r"refused: a document type \(a\)"):
        read(file)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@READERS
def test_a_packed_file_cut_short_is_damaged(tmp_path: Path, read: Callable[[Path], object]) -> None:
    file = written(tmp_path, TEXT, packed=True)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(XMLFileError, match="is damaged"):
        read(file)


@pytest.mark.parametrize("read", [parse_xml, lambda file: list(iter_xml(file))])
def test_a_plain_file_cut_short_is_damaged(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(XMLFileError, match="is damaged"):
        read(written(tmp_path, TEXT[:60], packed=False))


@READERS
def test_what_is_no_xml_or_not_there_is_said(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    with pytest.raises(XMLFileError, match="cannot be read: No such file"):
        read(tmp_path / "none.xml")
    with pytest.raises(XMLFileError, match="is damaged"):
        read(written(tmp_path, "# notes", packed=False))
    with pytest.raises(XMLFileError, match="cannot be read: Is a directory"):
        read(tmp_path)
