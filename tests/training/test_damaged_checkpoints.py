"""No damaged checkpoint is gone on from: the newest whole one before it is, with a warning."""

import io
import logging
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from learning_cases import ALGORITHM, EXECUTION, learner, trainer_of
from traffic_cases import city, scenario_config

from trafficrl.errors import RunError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import file_sha256, load_sidecar, save_sidecar
from trafficrl.runs.stop import Stopped
from trafficrl.training.checkpoints import Checkpoint, Checkpoints, Origin, Scores
from trafficrl.training.trainer import TrainingEnd

Damage = Callable[[Path, random.Random], None]
"""Damages the checkpoint whose model file that is."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunPaths:
    """A run with three checkpoints, at 8, 16 and 24 steps."""
    folder = tmp_path_factory.mktemp("whole")
    execution = replace(EXECUTION, total_timesteps=24, checkpoint_freq=8)
    with learner(folder, ALGORITHM, execution) as model:
        trainer_of(model, folder, ALGORITHM, execution).run()
    return RunPaths(folder)


@pytest.fixture
def run(whole: RunPaths, tmp_path: Path) -> RunPaths:
    shutil.copytree(whole.checkpoints, tmp_path / "checkpoints")
    return RunPaths(tmp_path)


def newest(paths: RunPaths) -> Checkpoint | None:
    return Checkpoints(paths, Origin(ALGORITHM, city(), {}), keep=5).newest()


def flip(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(bytes(content))


def cut_off(file: Path, rng: random.Random) -> None:
    os.truncate(file, rng.randrange(file.stat().st_size))


def remove(file: Path, rng: random.Random) -> None:
    file.unlink()


def swap(file: Path, rng: random.Random) -> None:
    """The file of an older checkpoint stands in its place."""
    older = file.with_name(f"step_{rng.choice((8, 16)):010d}{file.suffix}")
    file.write_bytes(older.read_bytes())


def swap_both(file: Path, rng: random.Random) -> None:
    swap(file.with_suffix(".zip"), random.Random(0))
    swap(file.with_suffix(".yaml"), random.Random(0))


@pytest.mark.parametrize("damage", [flip, cut_off, remove, swap, swap_both])
@pytest.mark.parametrize("suffix", [".zip", ".yaml"])
def test_two_hundred_damaged_checkpoints(
    run: RunPaths, caplog: pytest.LogCaptureFixture, damage: Damage, suffix: str
) -> None:
    last = run.checkpoint(24)
    original = {file: file.read_bytes() for file in (last, last.with_suffix(".yaml"))}
    for seed in range(20):
        caplog.clear()
        damage(last.with_suffix(suffix), random.Random(seed))
        found = newest(run)
        assert found is not None
        if found.file == last:  # a quote of the sidecar that says the same
            assert (damage, suffix) == (flip, ".yaml")
            assert load_sidecar(last).timesteps == 24
        else:
            assert found.file == run.checkpoint(16)
            assert found.model.timesteps == 16
            (record,) = caplog.records
            assert record.levelno == logging.WARNING
            assert "step_0000000024" in record.message
            assert "\n" not in record.message
        for file, content in original.items():
            file.write_bytes(content)


def test_without_a_whole_one_the_run_begins_anew(run: RunPaths) -> None:
    for file in run.checkpoints.glob("*.zip"):
        cut_off(file, random.Random(1))
    assert newest(run) is None


class Evil:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.file, "was here"))


def test_a_pickle_in_a_checkpoint_is_not_run(run: RunPaths, tmp_path: Path) -> None:
    """Even where its sidecar was forged to fit."""
    last, trap = run.checkpoint(24), tmp_path / "trap"
    sidecar = load_sidecar(last)
    code = io.BytesIO()
    torch.save({"rollout": Evil(trap)}, code)
    with zipfile.ZipFile(last) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries |= {"training.pth": code.getvalue(), "data": pickle.dumps(Evil(trap))}
    with zipfile.ZipFile(last, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    forged = replace(sidecar, sha256=file_sha256(last), size_bytes=last.stat().st_size)
    save_sidecar(last, forged)
    found = newest(run)
    assert found is not None
    assert found.file == run.checkpoint(16)
    assert not trap.exists()


def test_damaged_checkpoints_push_no_whole_one_out(run: RunPaths, tmp_path: Path) -> None:
    run.checkpoint(24).write_bytes(b"cut")
    facts = {"config_hash": "", "run": "", "scenarios": ()}
    checkpoints = Checkpoints(run, Origin(ALGORITHM, city(), facts), keep=1)
    with learner(tmp_path) as model:
        model.num_timesteps = 20  # as a training that went on from 16 steps
        checkpoints.save(model, {}, {}, Scores(None, None))
        assert {file.name[-6:] for file in run.checkpoints.glob("*.zip")} == {"20.zip", "24.zip"}
        found = checkpoints.newest()
        assert found is not None
        assert found.file == run.checkpoint(20)
        model.num_timesteps = 28
        checkpoints.save(model, {}, {}, Scores(None, None))
        assert [file.name[-6:] for file in run.checkpoints.glob("*.zip")] == ["28.zip"]


def gone_on(paths: RunPaths, folder: Path, **changes: Any) -> TrainingEnd:
    """The run goes on for one more rollout, in another folder."""
    folder.mkdir()
    checkpoint = newest(paths)
    execution = replace(EXECUTION, total_timesteps=32)
    with learner(folder, ALGORITHM, execution, **changes) as model:
        return trainer_of(model, folder, ALGORITHM, execution).run(checkpoint)


def test_environments_that_come_back_elsewhere_are_told_of(
    run: RunPaths, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remove(run.checkpoint(24), random.Random(0))  # which stands at the beginning of an episode
    caplog.set_level(logging.WARNING)
    gone_on(run, tmp_path / "same")
    assert "did not come back" not in caplog.text
    gone_on(run, tmp_path / "other", scenarios={"light": scenario_config(num_vehicles=40)})
    assert "did not come back to where they were" in caplog.text


def test_a_checkpoint_is_not_written_again_where_it_stands(run: RunPaths) -> None:
    """While it is replaced there would be no whole one."""
    file = run.checkpoint(24)
    before = file.stat().st_ino
    execution = replace(EXECUTION, total_timesteps=48)
    with learner(run.root, ALGORITHM, execution) as model:
        trainer = trainer_of(model, run.root, ALGORITHM, execution)
        trainer._stop.reason = "SIGTERM"
        with pytest.raises(Stopped):
            trainer.run(newest(run))
    assert file.stat().st_ino == before


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can be mounted by root alone")
def test_a_full_disk_leaves_the_last_whole_checkpoint(whole: RunPaths, tmp_path: Path) -> None:
    size = sum(file.stat().st_size for file in whole.checkpoints.iterdir())
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size={size + 20_000} tmpfs {disk}") != 0:  # noqa: S605
        pytest.skip("this root may not mount")
    try:
        shutil.copytree(whole.checkpoints, disk / "checkpoints")
        paths = RunPaths(disk)
        with learner(tmp_path) as model:
            facts = {"config_hash": "", "run": "", "scenarios": ()}
            checkpoints = Checkpoints(paths, Origin(ALGORITHM, city(), facts), keep=5)
            model.num_timesteps = 32
            with pytest.raises(RunError, match=r"No space left.*step_0000000024\.zip"):
                checkpoints.save(model, {}, {"x": torch.rand(100_000)}, Scores(None, None))
        assert [file for file in paths.checkpoints.iterdir() if "32" in file.name] == []
        found = newest(paths)
        assert found is not None
        assert found.file == paths.checkpoint(24)
    finally:
        os.system(f"umount {disk}")  # noqa: S605
