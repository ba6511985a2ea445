"""Which model of a run is its best, and what is said of the choice."""

import logging
import math
from pathlib import Path

import pytest
from model_cases import model_file

from trafficrl.errors import CheckpointError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.run_models import best_model


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    """A run that was cut before it had a best model."""
    paths = RunPaths(tmp_path / "run")
    for steps, score in ((8, -40.0), (16, -20.0), (24, math.nan), (32, -30.0), (40, None)):
        model_file(paths.checkpoint(steps), b"step %d" % steps, timesteps=steps, score=score)
    return paths


def chosen(paths: RunPaths, caplog: pytest.LogCaptureFixture) -> tuple[str, str]:
    """Name of the best model, and the last line of the log about it."""
    with caplog.at_level(logging.INFO):
        found = best_model(paths.root).relative_to(paths.root)
    return str(found), caplog.messages[-1].removeprefix(f"{paths.root}: ")


def test_a_checkpoint_with_the_best_stored_score_takes_the_place(
    paths: RunPaths, caplog: pytest.LogCaptureFixture
) -> None:
    name = "checkpoints/step_0000000016.zip"
    said = f"{name} has the best stored score, -20.000, at 16 steps"
    assert chosen(paths, caplog) == (name, said)
    model_file(paths.final_model, timesteps=48, score=-25.0)
    assert chosen(paths, caplog) == (name, said)
    model_file(paths.final_model, timesteps=48, score=-15.0)
    assert chosen(paths, caplog)[0] == "final_model.zip"


def test_the_best_model_of_the_run_comes_first_among_equals(
    paths: RunPaths, caplog: pytest.LogCaptureFixture
) -> None:
    model_file(paths.best_model, timesteps=12, score=-20.0)
    said = "best_model.zip has the best stored score, -20.000, at 12 steps"
    assert chosen(paths, caplog) == ("best_model.zip", said)


def test_what_is_damaged_is_named_and_left_out(
    paths: RunPaths, caplog: pytest.LogCaptureFixture
) -> None:
    model_file(paths.best_model, timesteps=12, score=-10.0).write_bytes(b"cut")
    paths.checkpoint(16).write_bytes(b"another")
    paths.checkpoint(24).with_suffix(".yaml").unlink()
    assert chosen(paths, caplog)[0] == "checkpoints/step_0000000032.zip"
    warned = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    for name in ("best_model", "step_0000000016", "step_0000000024"):
        assert sum(name in line for line in warned) == 1, name


def test_without_any_score_the_newest_counts(
    paths: RunPaths, caplog: pytest.LogCaptureFixture
) -> None:
    for steps in (8, 16, 24, 32):
        model_file(paths.checkpoint(steps), timesteps=steps, score=None)
    said = "no model has a stored score; {} is the newest"
    name = "checkpoints/step_0000000040.zip"
    assert chosen(paths, caplog) == (name, said.format(name))
    model_file(paths.best_model, timesteps=24, score=None)  # of an end before it learned longer
    assert chosen(paths, caplog)[0] == name
    model_file(paths.final_model, timesteps=48, score=None)
    assert chosen(paths, caplog) == ("final_model.zip", said.format("final_model.zip"))


def test_a_best_model_without_a_sidecar_counts(
    paths: RunPaths, caplog: pytest.LogCaptureFixture
) -> None:
    """As it is for a moment while a training replaces it."""
    model_file(paths.best_model).with_suffix(".yaml").unlink()
    said = "best_model.zip, which has no stored score"
    assert chosen(paths, caplog) == ("best_model.zip", said)


def test_a_best_model_alone_counts_without_a_score(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = RunPaths(tmp_path)
    model_file(paths.best_model, score=None)
    assert chosen(paths, caplog)[0] == "best_model.zip"


def test_a_run_without_a_whole_model_has_no_best(paths: RunPaths) -> None:
    for steps in (8, 16, 24, 32, 40):
        paths.checkpoint(steps).write_bytes(b"cut")
    with pytest.raises(CheckpointError, match=r"run holds no whole model: no best_model\.zip, "):
        best_model(paths.root)
