"""Files that are whole or not there."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trafficrl.files import is_temporary, replacing, save_new_text, save_text


def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")
    with replacing(file) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".json"
        temporary.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("old", ["old", None])
def test_a_failure_leaves_all_as_it_was(tmp_path: Path, old: str | None) -> None:
    file = tmp_path / "a.json"
    if old is not None:
        file.write_text(old)

    def fail() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == ([file] if old else [])
    assert not old or file.read_text() == old


def test_a_file_that_was_never_written_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.json"

    def forget() -> None:
        with replacing(file) as temporary:
            temporary.unlink()

    with pytest.raises(FileNotFoundError):
        forget()
    assert list(tmp_path.iterdir()) == []


def test_text_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    save_text(file, "Straße\n")
    assert file.read_bytes() == "Straße\n".encode()


def test_rights_follow_the_umask(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    before = os.umask(0o077)
    try:
        save_text(file, "mine")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    texts = {letter * 50_000 for letter in "abcd"}
    save_text(file, "a" * 50_000)
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(save_text, file, text) for text in texts for _ in range(10)]
        seen = set()
        while not all(writer.done() for writer in writers):
            seen.add(file.read_text())
        for writer in writers:
            writer.result()
    assert seen <= texts
    assert list(tmp_path.iterdir()) == [file]


def test_of_many_that_want_a_new_file_one_gets_it(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"

    def attempt(letter: str) -> str:
        try:
            save_new_text(file, letter * 50_000)
        except FileExistsError:
            return ""
        return letter

    for _ in range(10):
        with ThreadPoolExecutor(4) as pool:
            (won,) = filter(None, pool.map(attempt, "abcd"))
        assert file.read_text() == won * 50_000
        assert list(tmp_path.iterdir()) == [file]
        file.unlink()


def test_a_file_that_is_being_written_is_known_by_its_name(tmp_path: Path) -> None:
    for name in ("a.json", "a", ".hidden.txt"):
        with replacing(tmp_path / name) as temporary:
            assert is_temporary(temporary.name)
        assert not is_temporary(name)
