"""Event files, read back as TensorBoard reads them."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from trafficrl.runs.paths import RunPaths
from trafficrl.training.tensorboard_events import TensorBoardEvents


def write(events: TensorBoardEvents, *steps: int) -> None:
    for step in steps:
        row: dict[str, Any] = {"train/loss": float(step)}
        events.write(row, dict.fromkeys(row, ()), step)
    events.close()


def test_steps_that_are_done_again_are_shown_once(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    paths.resolved_config.write_text("seed: 3\n")
    write(TensorBoardEvents(paths), 0, 16, 32)
    write(TensorBoardEvents(paths), 16, 32, 48)
    reading = import_module("tensorboard.backend.event_processing.event_accumulator")
    shown = reading.EventAccumulator(str(paths.tensorboard))
    shown.Reload()
    assert [event.step for event in shown.Scalars("train/loss")] == [0, 16, 32, 48]
    (text,) = shown.Tags()["tensors"]
    told = [event.tensor_proto.string_val for event in shown.Tensors(text)]
    assert told[-1] == [b"    seed: 3"]


def test_trouble_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = RunPaths(tmp_path)
    paths.tensorboard.touch()
    write(TensorBoardEvents(paths), 0, 16)
    assert [one.levelno for one in caplog.records] == [logging.WARNING]
    assert "the training goes on without it" in caplog.text


def test_a_run_without_an_update_leaves_no_file(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    TensorBoardEvents(paths).close()
    assert not paths.tensorboard.exists()
