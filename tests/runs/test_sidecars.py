import json
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from trafficrl.errors import CheckpointError
from trafficrl.runs.sidecars import (
    Ancestor,
    Sidecar,
    file_sha256,
    load_sidecar,
    save_sidecar,
    verify_model,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "step_0000000128.zip"
    file.write_bytes(b"weights" * 1000)
    save_sidecar(file, sidecar_of(file))
    return file


def sidecar_of(file: Path) -> Sidecar:
    return Sidecar(
        timesteps=128,
        created="2026-01-02T03:04:05+00:00",
        size_bytes=file.stat().st_size,
        sha256=file_sha256(file),
        score=-31.25,
        best_score=1e-05,
        config_hash="c" * 64,
        network_hash="n" * 64,
        run="outputs/run",
        scenarios=("morning", "evening"),
        lineage=(Ancestor("outputs/first", 64, ("night",), "a" * 64),),
        versions={"sumo": "1.28.0"},
    )


def test_a_sidecar_comes_back_as_it_was(model: Path) -> None:
    assert load_sidecar(model) == verify_model(model) == sidecar_of(model)
    save_sidecar(model, replace(sidecar_of(model), score=None, lineage=()))
    assert load_sidecar(model) == replace(sidecar_of(model), score=None, lineage=())


def test_a_sidecar_older_than_the_choice_of_sumos_model_is_microscopic(model: Path) -> None:
    file = model.with_suffix(".yaml")
    rows = yaml.safe_load(file.read_text())
    for old in (rows, *rows["lineage"]):
        del old["simulator"]
    del rows["checksum"]
    plain = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    file.write_text(yaml.safe_dump(rows | {"checksum": sha256(plain.encode()).hexdigest()}))
    assert load_sidecar(model) == sidecar_of(model)
    assert sidecar_of(model).simulator == sidecar_of(model).lineage[0].simulator == "micro"


def test_every_changed_byte_of_a_sidecar_is_found(model: Path) -> None:
    file = model.with_suffix(".yaml")
    whole = file.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        file.write_bytes(bytes(changed))
        with suppress(CheckpointError):
            assert load_sidecar(model) == sidecar_of(model)  # only a quote or a space is another
    for length in range(0, len(whole) - 1, 7):
        file.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="damaged"):
            load_sidecar(model)


def test_a_model_that_is_not_the_one_that_was_written_is_told(model: Path) -> None:
    whole = model.read_bytes()
    model.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match="6999 bytes instead of 7000: cut off"):
        verify_model(model)
    model.write_bytes(whole[:-1] + b"x")
    with pytest.raises(CheckpointError, match="its SHA-256 is not"):
        verify_model(model)
    model.unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        verify_model(model)


def test_a_model_without_a_sidecar_is_none(model: Path) -> None:
    model.with_suffix(".yaml").unlink()
    with pytest.raises(CheckpointError, match="no whole model"):
        verify_model(model)


def test_a_sidecar_that_would_grow_without_end_is_refused(model: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60)
    )
    file = model.with_suffix(".yaml")
    file.write_text(file.read_text() + bomb)
    with pytest.raises(CheckpointError, match="aliases"):
        load_sidecar(model)
