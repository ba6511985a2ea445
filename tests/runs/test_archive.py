"""What is packed comes back as it was, and what was forged leaves no trace."""

import json
import os
import random
import shutil
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from model_cases import model_file, run_folder, tree

from trafficrl.errors import CheckpointError, RunError
from trafficrl.runs.archive import Packing
from trafficrl.runs.model_names import checksum
from trafficrl.runs.registry import ModelRegistry
from trafficrl.runs.restore import Restored, restore

MANIFEST = "manifest.json"
RUN, MODEL, NAMED = "runs/one", "models/lone.zip", "models/city@v1.zip"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run, a model and a model with a name; the current folder."""
    home = tmp_path / "home"
    run_folder(home / RUN)
    model_file(home / MODEL, b"lone" * 99)
    ModelRegistry(home / "registry").tag(home / RUN / "best_model.zip", "city@v1")
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def archive(home: Path, tmp_path: Path) -> Path:
    """All of it, packed."""
    return packed(tmp_path / "all.zip")


def packed(file: Path) -> Path:
    packing = Packing()
    packing.add_run(Path(RUN))
    packing.add_model(Path(MODEL))
    entry = ModelRegistry(Path("registry")).find("city@v1")
    assert entry is not None
    packing.add_registered(entry)
    assert packing.save(file) == []
    return file


def unpacked(archive: Path, tmp_path: Path) -> Restored:
    return restore(archive, tmp_path / "there" / "new", ModelRegistry(tmp_path / "names"))


def refused(archive: Path, tmp_path: Path) -> str:
    """The refusal, after which all is as it was."""
    before = tree(tmp_path)
    with pytest.raises(RunError) as error:
        unpacked(archive, tmp_path)
    assert tree(tmp_path) == before
    assert str(error.value).startswith(str(archive))
    assert "\n" not in str(error.value)
    return str(error.value)


def manifest_of(archive: Path) -> dict[str, Any]:
    with zipfile.ZipFile(archive) as source:
        rows: dict[str, Any] = json.loads(source.read(MANIFEST))
    return rows


def forged(
    archive: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None], **attributes: int
) -> Path:
    """A copy with other members and another manifest, whose own checksum is right.

    Args:
        archive: a whole one.
        change: changes members and manifest in place.
        attributes: member (slashes as two underscores) -> its attributes outside.
    """
    with zipfile.ZipFile(archive) as source:
        members = {name: source.read(name) for name in source.namelist()}
    rows = json.loads(members.pop(MANIFEST))
    rows.pop("checksum")
    change(members, rows)
    forgery = archive.with_name("forged.zip")
    with zipfile.ZipFile(forgery, "w") as out:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.external_attr = attributes.get(name.replace("/", "__"), 0) << 16
            out.writestr(info, content)
        out.writestr(MANIFEST, json.dumps(rows | {"checksum": checksum(rows)}))
    return forgery


def added(archive: Path, name: str, content: bytes = b"evil", **attributes: int) -> Path:
    """A copy with one more member, which the manifest names too."""
    size_and_hash = manifest_of(archive)["files"][f"{RUN}/metrics.csv"]

    def change(members: dict[str, bytes], rows: dict[str, Any]) -> None:
        members[name] = members[f"{RUN}/metrics.csv"] if content == b"evil" else content
        rows["files"][name] = size_and_hash

    return forged(archive, change, **attributes)


def test_all_comes_back_as_it_was(home: Path, archive: Path, tmp_path: Path) -> None:
    (home / RUN / "work").mkdir()
    (home / RUN / "work" / "trips.xml").touch()
    (home / RUN / ".lock").touch()
    (home / RUN / f".best_model-{'0' * 32}.zip").touch()
    restored = unpacked(packed(tmp_path / "again.zip"), tmp_path)
    shutil.rmtree(home / RUN / "work")
    (home / RUN / ".lock").unlink()
    (home / RUN / f".best_model-{'0' * 32}.zip").unlink()
    there = tmp_path / "there" / "new"
    assert tree(there / RUN) == tree(home / RUN)
    assert (there / MODEL).read_bytes() == (home / MODEL).read_bytes()
    assert sorted(file.name for file in there.iterdir()) == ["models", "runs"]
    files = [name for name in tree(there) if not name.endswith("/")]
    assert restored == Restored(len(files), ("city@v1",))
    entry = ModelRegistry(tmp_path / "names").find("city")
    assert entry is not None
    assert entry.file.read_bytes() == (home / RUN / "best_model.zip").read_bytes()
    assert entry.path == str(there / NAMED)
    assert set(manifest_of(archive)["files"]) == set(files)


def test_unpacking_twice_changes_nothing(archive: Path, tmp_path: Path) -> None:
    unpacked(archive, tmp_path)
    before = tree(tmp_path)
    assert unpacked(archive, tmp_path).labels == ()
    assert tree(tmp_path) == before
    shutil.rmtree(tmp_path / "there" / "new" / RUN)  # what is missing comes back
    unpacked(archive, tmp_path)
    assert tree(tmp_path) == before


def test_tags_keep_their_order(home: Path, tmp_path: Path) -> None:
    registry = ModelRegistry(Path("registry"))
    registry.tag(Path(MODEL), "city@a")
    packing = Packing()
    for label in ("city@a", "city@v1"):
        entry = registry.find(label)
        assert entry is not None
        packing.add_registered(entry)
    packing.save(tmp_path / "two.zip")
    assert unpacked(tmp_path / "two.zip", tmp_path).labels == ("city@v1", "city@a")
    entry = ModelRegistry(tmp_path / "names").find("city")
    assert entry is not None
    assert entry.tag == "a"


def test_what_lies_elsewhere_goes_by_its_name(home: Path, tmp_path: Path) -> None:
    packing = Packing()
    packing.add_model(model_file(tmp_path / "far" / "off" / "one.zip"))
    packing.add_model(tmp_path / "home" / MODEL)
    assert sorted(packing.files) == ["models/lone.yaml", MODEL, "one.yaml", "one.zip"]
    packing.add_model(tmp_path / "far" / "off" / "one.zip")  # once more is the same
    with pytest.raises(RunError, match=r"would both be one\.zip in the archive"):
        packing.add_model(model_file(tmp_path / "far" / "one.zip"))


def test_the_log_of_a_job_is_packed_as_what_it_says(home: Path, tmp_path: Path) -> None:
    (tmp_path / "said").write_text("a job's words")
    (home / RUN / "job.out").symlink_to(tmp_path / "said")
    (home / RUN / "job.err").symlink_to(tmp_path / "gone")
    packing = Packing()
    packing.add_run(Path(RUN))
    packing.save(tmp_path / "logged.zip")
    with zipfile.ZipFile(tmp_path / "logged.zip") as made:
        assert made.read(f"{RUN}/job.out") == b"a job's words"
        assert f"{RUN}/job.err" not in made.namelist()


def test_what_cannot_be_packed_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"models is no run folder: it has no run\.json"):
        Packing().add_run(Path("models"))
    (home / RUN / "link").symlink_to("/etc")
    with pytest.raises(RunError, match="link is a link or no plain file"):
        Packing().add_run(Path(RUN))
    (home / RUN / "link").unlink()
    os.mkfifo(home / RUN / "pipe")
    with pytest.raises(RunError, match="pipe is a link or no plain file"):
        Packing().add_run(Path(RUN))
    (home / RUN / "pipe").unlink()
    (home / RUN / "a\\b").touch()
    with pytest.raises(RunError, match="cannot hold a file of that name"):
        Packing().add_run(Path(RUN))
    (home / MODEL).write_bytes(b"cut")
    with pytest.raises(CheckpointError, match="cut off"):
        Packing().add_model(Path(MODEL))


def test_a_failed_export_leaves_nothing(home: Path, tmp_path: Path) -> None:
    packing = Packing()
    packing.add_run(Path(RUN))
    (home / RUN / "metrics.csv").unlink()
    before = tree(tmp_path)
    with pytest.raises(RunError, match=r"metrics\.csv: No such file"):
        packing.save(tmp_path / "failed.zip")
    assert tree(tmp_path) == before
    (home / RUN / "metrics.csv").touch()
    with pytest.raises(RunError, match=r"run\.json: File exists"):
        packing.save(home / RUN / "run.json" / "failed.zip")


def test_a_run_with_a_damaged_model_is_kept_and_told(home: Path, tmp_path: Path) -> None:
    damaged = home / RUN / "checkpoints" / "step_0000000064.zip"
    damaged.write_bytes(b"cut")
    packing = Packing()
    packing.add_run(Path(RUN))
    (note,) = packing.save(tmp_path / "some.zip")
    assert note.startswith(f"{damaged.relative_to(home)} is damaged")
    unpacked(tmp_path / "some.zip", tmp_path)
    assert tree(tmp_path / "there" / "new" / RUN) == tree(home / RUN)


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "runs/../../evil", "/evil", "//evil", "C:/evil", "c:evil", "..\\evil"),
        *("runs\\evil", "./evil", "runs//evil", "runs/./evil", "evil/", "..", "", "evil\n"),
        *("evil\x00.csv", f"{RUN}/../../../evil", "runs/one/.."),
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(name: str, archive: Path, tmp_path: Path) -> None:
    assert "may leave the folder" in refused(added(archive, name), tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_a_member_that_is_no_plain_file_is_refused(
    kind: int, archive: Path, tmp_path: Path
) -> None:
    message = refused(added(archive, "evil", evil=kind | 0o777), tmp_path)
    assert "'evil' is a link or no plain file" in message


def test_what_the_manifest_does_not_say_is_refused(archive: Path, tmp_path: Path) -> None:
    one = f"{RUN}/metrics.csv"
    cases: dict[str, Callable[[dict[str, bytes], dict[str, Any]], Any]] = {
        f"'{one}' is in the archive, but not in the {MANIFEST}": lambda m, rows: rows["files"].pop(
            one
        ),
        f"'{one}' is in {MANIFEST}, but not in the archive": lambda m, rows: m.pop(one),
        f"'{one}' has another size": lambda m, rows: m.update({one: b"longer" * 99}),
        f"'{one}' is damaged: its SHA-256": lambda m, rows: m.update({one: m[one][::-1]}),
        "which is not in the archive": lambda m, rows: rows["names"].update({"x@y": "none.zip"}),
        "a model is named NAME@TAG": lambda m, rows: rows["names"].update({"../x@y": NAMED}),
        "latest always stands": lambda m, rows: rows["names"].update({"x@latest": NAMED}),
        "it is of format 2": lambda m, rows: rows.update(format=2),
        "no whole model": lambda m, rows: rows["names"].update({"x@y": f"{RUN}/run.json"}),
    }
    for said, change in cases.items():
        assert said in refused(forged(archive, change), tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"files": None},
        {"files": {NAMED: None}},
        {"files": {NAMED: {"size_bytes": "9", "sha256": "0"}}},
        {"files": {NAMED: {"size_bytes": 9}}},
        {"names": []},
        {"names": {"x@y": ["a"]}},
        {"names": {"x@y": None}},
    ],
)
def test_a_manifest_of_odd_values_is_refused(
    values: dict[str, Any], archive: Path, tmp_path: Path
) -> None:
    refused(forged(archive, lambda m, rows: rows.update(values)), tmp_path)


def test_a_changed_manifest_is_refused(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as source:
        members = {name: source.read(name) for name in source.namelist()}
    changed = members[MANIFEST].replace(b"city@v1", b"city@v2")
    assert changed != members[MANIFEST]
    with zipfile.ZipFile(archive, "w") as out:
        for name, content in (members | {MANIFEST: changed}).items():
            out.writestr(name, content)
    assert "manifest.json is damaged" in refused(archive, tmp_path)


def test_no_archive_of_ours_is_refused(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as out:
        out.writestr("evil", "x")
    assert "was not made by trafficrl-models export" in refused(other, tmp_path)
    for text in ("", "[]", "{", "1", '{"format": 1}', "[" * 100_000):
        with zipfile.ZipFile(other, "w") as out:
            out.writestr(MANIFEST, text)
        refused(other, tmp_path)
    other.write_text("no zip")
    assert "File is not a zip file" in refused(other, tmp_path)
    other.unlink()
    assert "No such file" in refused(other, tmp_path)


def test_a_member_that_stands_twice_is_refused(archive: Path, tmp_path: Path) -> None:
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(archive, "a") as out,
    ):
        out.writestr(f"{RUN}/metrics.csv", b"evil")
    assert "has a member twice" in refused(archive, tmp_path)


def test_a_file_where_a_folder_must_be_is_refused(archive: Path, tmp_path: Path) -> None:
    refused(added(archive, f"{RUN}/run.json/evil"), tmp_path)
    refused(added(archive, RUN), tmp_path)


def bomb(archive: Path, shown: int, told: int) -> Path:
    """Fifty packed megabytes whose header shows, and whose manifest tells, another size."""
    forgery = added(archive, "bomb")
    with zipfile.ZipFile(forgery) as source:
        members = {name: source.read(name) for name in source.namelist()}
    rows = json.loads(members.pop(MANIFEST))
    rows.pop("checksum")
    rows["files"]["bomb"]["size_bytes"] = told
    with zipfile.ZipFile(forgery, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, b"\0" * 50_000_000 if name == "bomb" else content)
        out.writestr(MANIFEST, json.dumps(rows | {"checksum": checksum(rows)}))
        out.getinfo("bomb").file_size = shown
    assert forgery.stat().st_size < 200_000
    return forgery


def test_a_bomb_is_refused(archive: Path, tmp_path: Path) -> None:
    assert "has another size" in refused(bomb(archive, 50_000_000, 100), tmp_path)
    refused(bomb(archive, 100, 100), tmp_path)
    message = refused(bomb(archive, 10**15, 10**15), tmp_path)
    assert "1000000000 MB are needed" in message


def test_members_that_lie_in_each_other_are_refused(archive: Path, tmp_path: Path) -> None:
    forgery = archive.with_name("forged.zip")
    shutil.copy(archive, forgery)
    with zipfile.ZipFile(forgery, "a") as out:
        for info in out.infolist():
            info.compress_size = forgery.stat().st_size // 2
        out.comment = b"x"  # writes the directory anew
    refused(forgery, tmp_path)


def test_a_flipped_bit_is_refused_or_changes_nothing(archive: Path, tmp_path: Path) -> None:
    whole, rng = archive.read_bytes(), random.Random(4)
    unpacked(archive, tmp_path)
    expected = tree(tmp_path / "there")
    names = list(manifest_of(archive)["names"])
    shutil.rmtree(tmp_path / "there")
    shutil.rmtree(tmp_path / "names")
    num_refused = 0
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        archive.write_bytes(changed)
        with suppress(RunError):
            assert list(unpacked(archive, tmp_path).labels) == names
            assert tree(tmp_path / "there") == expected
            shutil.rmtree(tmp_path / "there")
            shutil.rmtree(tmp_path / "names")
            continue
        num_refused += 1
        assert not (tmp_path / "there").exists()
        assert not (tmp_path / "names").exists()
    assert num_refused > 45


def test_a_cut_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    for length in [0, 1, 30, *range(100, len(whole), len(whole) // 20), len(whole) - 1]:
        archive.write_bytes(whole[:length])
        refused(archive, tmp_path)


def test_no_file_is_replaced(archive: Path, tmp_path: Path) -> None:
    there = tmp_path / "there" / "new"
    run_folder(there / RUN)
    (there / RUN / "metrics.csv").write_text("mine")
    message = refused(archive, tmp_path)
    assert message.endswith(f"{RUN}/metrics.csv is there already, with other content")
    (there / RUN / "metrics.csv").unlink()
    (there / RUN / "metrics.csv").mkdir()
    assert "is there already" in refused(archive, tmp_path)
    (there / RUN / "metrics.csv").rmdir()
    (there / RUN / "metrics.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert "is there already" in refused(archive, tmp_path)


def test_a_link_in_the_target_is_not_followed_out_of_it(archive: Path, tmp_path: Path) -> None:
    there = tmp_path / "there" / "new"
    there.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (there / "runs").symlink_to(tmp_path / "elsewhere")
    assert "through a link" in refused(archive, tmp_path)


def test_a_name_that_another_model_has_stays_with_it(archive: Path, tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "names")
    registry.tag(model_file(tmp_path / "mine.zip", b"mine"), "city@v1")
    assert "city@v1 is another model in" in refused(archive, tmp_path)


def test_names_that_cannot_be_given_undo_everything(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "city").touch()  # where a folder would have to be
    assert "cannot be" in refused(archive, tmp_path)
    there = tmp_path / "there" / "new"
    run_folder(there / RUN)
    (there / RUN / "final_model.zip").unlink()
    assert "cannot be" in refused(archive, tmp_path)


def test_a_name_that_cannot_be_given_takes_back_those_before(
    home: Path, archive: Path, tmp_path: Path
) -> None:
    forgery = forged(archive, lambda m, rows: rows["names"].update({"zoo@v1": NAMED}))
    registry = ModelRegistry(tmp_path / "names")
    registry.tag(home / MODEL, "lone@v1")
    (tmp_path / "names" / "zoo").touch()
    with pytest.raises(RunError, match="cannot be written"):
        unpacked(forgery, tmp_path)
    assert not (tmp_path / "there").exists()
    assert registry.labels() == ["lone@v1"]
    (tmp_path / "names" / "zoo").unlink()
    assert unpacked(forgery, tmp_path).labels == ("city@v1", "zoo@v1")
