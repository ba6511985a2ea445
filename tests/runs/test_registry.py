import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from model_cases import FACTS, model_file

from trafficrl.errors import CheckpointError, ConfigError, RunError
from trafficrl.runs.model_names import Registered, checksum, split_label
from trafficrl.runs.registry import ModelRegistry, find_registered
from trafficrl.runs.sidecars import file_sha256, load_sidecar

TAGGING = """
import sys, time
from pathlib import Path
from trafficrl.errors import ConfigError
from trafficrl.runs.registry import ModelRegistry

folder, model, me = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
registry = ModelRegistry(folder / "registry")
(folder / f"{me}.ready").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for number in range(20):
    registry.tag(model, f"own@{me}-{number}")
    registry.tag(model, "moved@here", move=True)
    try:
        registry.tag(model, f"shared@{number}")
        print(number)
    except ConfigError as error:
        assert "is taken" in str(error), error
"""


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "registry")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_file(tmp_path / "run" / "best_model.zip")


@pytest.fixture
def entry(registry: ModelRegistry, model: Path) -> Registered:
    return registry.tag(model, "city@v1")


def test_a_named_model_outlives_its_run(registry: ModelRegistry, model: Path) -> None:
    content, sidecar = model.read_bytes(), load_sidecar(model)
    registry.tag(model, "city@v1")
    model_file(model, b"a better one", score=-1.0)  # as a run that goes on does
    model.unlink()
    found = find_registered("city@v1", registry.folder)
    assert found is not None
    assert found.read_bytes() == content
    assert load_sidecar(found) == sidecar
    entry = registry.find("city@v1")
    assert entry is not None
    assert entry.path == str(model)
    assert entry.sha256 == file_sha256(found) == sidecar.sha256


def test_a_name_is_given_once_unless_it_is_moved(
    registry: ModelRegistry, entry: Registered, tmp_path: Path
) -> None:
    other = model_file(tmp_path / "other.zip", b"other")
    before = sorted(registry.folder.rglob("*"))
    with pytest.raises(ConfigError, match=r"city@v1 is taken"):
        registry.tag(other, "city@v1")
    assert sorted(registry.folder.rglob("*")) == before
    assert registry.find("city@v1") == entry
    moved = registry.tag(other, "city@v1", move=True)
    assert moved.sha256 == file_sha256(other) != entry.sha256
    assert registry.find("city@v1") == moved


def test_a_bare_name_means_its_newest_tag(registry: ModelRegistry, tmp_path: Path) -> None:
    for tag in ("v9", "v10", "a"):
        registry.tag(model_file(tmp_path / f"{tag}.zip", tag.encode()), f"city@{tag}")
    registry.tag(model_file(tmp_path / "x.zip", b"x"), "city-2@z")
    for label in ("city", "city@latest"):
        found = registry.find(label)
        assert found is not None
        assert found.label == "city@a"
    registry.tag(tmp_path / "v10.zip", "city@v9", move=True)
    found = registry.find("city")
    assert found is not None
    assert (found.tag, found.file.read_bytes()) == ("v9", b"v10")
    assert registry.labels() == ["city@a", "city@v10", "city@v9", "city-2@z"]


@pytest.mark.parametrize("label", ["nobody", "nobody@v1", "city@v2", "a/b", "..", "", "x.zip"])
def test_what_has_no_name_is_not_found(
    label: str, registry: ModelRegistry, entry: Registered
) -> None:
    assert registry.find(label) is None
    assert find_registered(label, registry.folder) is None
    assert find_registered(entry.label, registry.folder / "elsewhere") is None


@pytest.mark.parametrize(
    "label",
    [
        *("city", "@v1", "city@", "a@b@c", "../x@v1", "a/b@v1", "city@../v1", "city@a/b"),
        *(".hidden@v1", "city@.v1", "city@v1.zip", "ci ty@v1", "city@v\n1", "stadt-ü@v1"),
        *("\\x@v1", "C:@v1", "a" * 101 + "@v1", "city@latest"),
    ],
)
def test_a_name_that_could_be_anything_else_is_refused(
    label: str, registry: ModelRegistry, model: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match=r"NAME@TAG|latest always stands"):
        registry.tag(model, label)
    assert sorted(tmp_path.rglob("*")) == before


def test_only_whole_models_get_names(registry: ModelRegistry, model: Path) -> None:
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="cut off, or another"):
        registry.tag(model, "city@v1")
    model.with_suffix(".yaml").unlink()
    with pytest.raises(CheckpointError, match="no whole model"):
        registry.tag(model, "city@v1")
    assert registry.labels() == []
    assert not registry.folder.exists()


def test_equal_files_keep_what_is_known_of_each(registry: ModelRegistry, tmp_path: Path) -> None:
    one = registry.tag(model_file(tmp_path / "step.zip", score=None), "city@step")
    best = registry.tag(model_file(tmp_path / "best.zip"), "city@best")
    assert one.sha256 == best.sha256
    assert one.verify().score is None
    assert best.verify().score == FACTS["score"]
    assert registry.labels_of(one.sha256) == ["city@best", "city@step"]


def test_two_processes_that_tag_at_once_lose_nothing(tmp_path: Path) -> None:
    models = {name: model_file(tmp_path / f"{name}.zip", name.encode() * 999) for name in "ab"}
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", TAGGING, str(tmp_path), str(model), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, model in models.items()
    }
    while not all((tmp_path / f"{name}.ready").exists() for name in models):
        assert all(process.poll() is None for process in processes.values())
    (tmp_path / "go").touch()
    won = {}
    for name, process in processes.items():
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        won[name] = {int(line) for line in out.split()}
    assert won["a"] | won["b"] == set(range(20))
    assert not won["a"] & won["b"]
    registry = ModelRegistry(tmp_path / "registry")
    for name, model in models.items():
        for label in [f"own@{name}-{number}" for number in range(20)]:
            assert find_registered(label, registry.folder) is not None
        for number in won[name]:
            found = registry.find(f"shared@{number}")
            assert found is not None
            assert found.path == str(model)
            assert found.verify().sha256 == file_sha256(model)
    moved = registry.find("moved@here")
    assert moved is not None
    assert moved.verify().sha256 in {file_sha256(model) for model in models.values()}
    assert len(registry.labels()) == 20 + 40 + 1
    left = [file.name for file in registry.folder.rglob(".*") if file.name != ".files"]
    assert left == []


def refusal(registry: ModelRegistry, label: str = "city@v1") -> str:
    with pytest.raises(CheckpointError) as error:
        find_registered(label, registry.folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_every_changed_byte_of_a_name_is_found(registry: ModelRegistry, entry: Registered) -> None:
    file = registry.folder / "city" / "v1.yaml"
    whole = file.read_bytes()
    refused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(bytes(changed))
        with suppress(CheckpointError):
            assert registry.find("city@v1") == entry  # only a quote or a space is another
            continue
        assert refusal(registry).startswith(f"{file} is damaged: ")
        refused += 1
    assert refused > 0.9 * len(whole)
    for length in range(0, len(whole) - 1, 7):
        file.write_bytes(whole[:length])
        assert "is damaged" in refusal(registry)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"digest": "../" * 20 + "etc"},
        {"sha256": "A" * 64},
        {"tagged": "yesterday"},
        {"path": None},
        {"path": ["x"]},
        {"more": "x"},
    ],
)
def test_a_forged_name_is_damaged(
    changes: dict[str, object], registry: ModelRegistry, entry: Registered
) -> None:
    file = registry.folder / "city" / "v1.yaml"
    rows = yaml.safe_load(file.read_text()) | changes
    rows["checksum"] = checksum({key: rows[key] for key in rows if key != "checksum"})
    file.write_text(yaml.safe_dump(rows))
    assert refusal(registry).startswith(f"{file} is damaged: ")


def test_a_name_in_another_ones_place_is_damaged(
    registry: ModelRegistry, entry: Registered
) -> None:
    folder = registry.folder / "city"
    (folder / "v2.yaml").write_bytes((folder / "v1.yaml").read_bytes())
    assert refusal(registry, "city@v2").endswith("v2.yaml is damaged: it names city@v1")
    assert "v2.yaml" in refusal(registry, "city")  # which one is the newest cannot be told
    assert find_registered("city@v1", registry.folder) == entry.file


def test_a_kept_model_that_is_damaged_is_told(
    registry: ModelRegistry, entry: Registered, tmp_path: Path
) -> None:
    whole = entry.file.read_bytes()
    entry.file.write_bytes(whole[:-1] + b"x")
    assert refusal(registry).startswith(f"city@v1: {entry.file}: damaged")
    model_file(entry.file, b"another, with a sidecar of its own")
    assert refusal(registry).endswith("is not the model that was tagged")
    entry.file.unlink()
    assert "No such file" in refusal(registry)
    with suppress(FileNotFoundError):
        (tmp_path / "run" / "best_model.zip").unlink()
    again = model_file(tmp_path / "again.zip")  # tagging it anew mends the copy
    registry.tag(again, "city@v2")
    assert find_registered("city@v1", registry.folder) == entry.file


def test_a_registry_that_cannot_be_used_is_told(tmp_path: Path, model: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(RunError, match="cannot be read: Not a directory"):
        ModelRegistry(file).labels()
    with pytest.raises(RunError, match="cannot be written: Not a directory"):
        ModelRegistry(file / "below").tag(model, "city@v1")
    assert ModelRegistry(tmp_path / "nowhere").labels() == []


def test_other_files_in_the_registry_are_no_names(
    registry: ModelRegistry, entry: Registered
) -> None:
    (registry.folder / "city" / ".v2-half.yaml").touch()
    (registry.folder / "city" / "notes.txt").touch()
    (registry.folder / "README.yaml").touch()
    (registry.folder / "empty").mkdir()
    assert registry.labels() == [entry.label]
    assert registry.find("empty") is None


def test_labels_are_split() -> None:
    assert split_label("city@v1.2") == ("city", "v1.2")
    assert split_label("city") == ("city", "latest")
