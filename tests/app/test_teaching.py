"""The model that teaches: by a file, a run folder or a name, and kept by the run that it taught."""

import shutil
from pathlib import Path

import pytest
from composing import experiment
from model_cases import run_folder
from run_cases import SCENARIOS, TRAINING, ended, trained

from trafficrl.app.teaching import with_teacher_files
from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.load import load_experiment
from trafficrl.errors import ConfigError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.registry import ModelRegistry

TEACHER = "algorithm.kickstart.teacher="


def teacher_of(run: Path) -> Path:
    algorithm = load_experiment(RunPaths(run).resolved_config).algorithm
    assert isinstance(algorithm, CommonPPOConfig)
    assert algorithm.kickstart.teacher is not None
    return Path(algorithm.kickstart.teacher)


def meant(given: str, registry: Path) -> str | None:
    config = experiment(f"{TEACHER}{given}", f"execution.models_dir={registry}")
    algorithm = with_teacher_files(config).algorithm
    assert isinstance(algorithm, CommonPPOConfig)
    return algorithm.kickstart.teacher


def test_a_controller_a_file_a_run_folder_and_a_name_teach(tmp_path: Path) -> None:
    paths, registry = run_folder(tmp_path / "run"), tmp_path / "models"
    entry = ModelRegistry(registry).tag(paths.best_model, "city@v1")
    assert meant("actuated", registry) == "actuated"
    assert meant("null", registry) is None
    assert meant(str(paths.final_model), registry) == str(paths.final_model)
    assert meant(str(paths.root), registry) == str(paths.best_model)
    assert meant("city", registry) == meant("city@v1", registry) == str(entry.file)
    with pytest.raises(ConfigError, match=r"kickstart\.teacher: unknown 'actuate' \(did you mean"):
        meant("actuate", registry)


def test_a_run_keeps_its_teacher_and_goes_on_with_it(tmp_path: Path) -> None:
    old, run = tmp_path / "old", tmp_path / "run"
    shutil.copytree(trained(), old)
    content = RunPaths(old).best_model.read_bytes()
    words = (*SCENARIOS, *TRAINING, f"hydra.run.dir={run}", f"{TEACHER}{old}")
    short = ("execution.total_timesteps=16", "execution.eval_freq=0")
    done = ended("train", *words, *short, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    kept = teacher_of(run)
    assert kept.is_relative_to(run / "inputs")
    assert kept.read_bytes() == content
    shutil.rmtree(old)
    # From its folder alone, and further than before.
    again = ("--config-dir", str(run), "--config-name", "resolved_config", f"hydra.run.dir={run}")
    done = ended("train", *again, "execution.total_timesteps=32", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert teacher_of(run).read_bytes() == content


def test_a_teacher_that_is_not_there_is_told_before_anything_is_built(tmp_path: Path) -> None:
    for given in ("nobody", "gone.zip"):
        done = ended("train", f"{TEACHER}{given}", f"hydra.run.dir={tmp_path / 'run'}")
        assert done.returncode == 2
        assert done.stderr.startswith("trafficrl-train: error: algorithm.kickstart.teacher: ")
        assert done.stderr.count("\n") == 1
        assert given in done.stderr
        assert not (tmp_path / "run" / "network").exists()
