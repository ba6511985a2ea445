"""Code of the user's own runs where it was named: in workers, from run folders, never unasked."""

import shutil
from pathlib import Path

import pytest
import yaml
from extension_cases import REWARD, SEEN, SOURCE, extension_file
from run_cases import SCENARIOS, TRAINING, run_command, run_refused

from trafficrl.app.consent import allow_named, allowed_extensions
from trafficrl.config.load import load_experiment
from trafficrl.errors import ConfigError
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import file_sha256

OWN = (*SCENARIOS, *TRAINING, "execution.eval_freq=0", REWARD, SEEN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def run(folder: Path) -> RunPaths:
    """Trained in a process and judged in another, both of which ran the file."""
    file = extension_file(folder)
    words = ("execution.single_env=false", "execution.parallel_envs=1", f"extensions=[{file}]")
    run_command("train", *OWN, *words, f"hydra.run.dir={folder / 'run'}")
    file.write_text("what it was is kept", encoding="utf-8")
    return RunPaths(folder / "run")


def test_a_run_keeps_the_code_and_its_hash(run: RunPaths) -> None:
    kept = run.inputs / "extensions" / "my_terms.py"
    assert kept.read_text() == SOURCE
    resolved = yaml.safe_load(run.resolved_config.read_text())
    assert resolved["extensions"] == ["inputs/extensions/my_terms.py"]
    assert resolved["provenance"]["extensions"] == [file_sha256(kept)]
    sidecar = yaml.safe_load(run.final_model.with_suffix(".yaml").read_text())
    assert sidecar["versions"]["extension my_terms.py"] == file_sha256(kept)
    assert "reward/longest_queue_veh" in run.metrics.read_text().splitlines()[0]


def test_a_run_folder_alone_lets_nothing_run(run: RunPaths, folder: Path) -> None:
    moved, again = RunPaths(folder / "moved"), RunPaths(folder / "refused")
    shutil.copytree(run.root, moved.root)
    words = (f"--config-dir={moved.root}", "--config-name=resolved_config")
    told = run_refused("train", *words, f"hydra.run.dir={again.root}")
    kept = moved.inputs / "extensions" / "my_terms.py"
    assert f"extensions: {kept}: code that the configuration brings and nobody has named" in told
    assert told.endswith(f"allow it with extensions=[{kept}]\n")
    assert not again.root.exists()


@pytest.mark.slow
def test_a_run_is_had_again_from_its_folder_by_naming_its_code(run: RunPaths, folder: Path) -> None:
    again = RunPaths(folder / "again")
    words = (f"--config-dir={run.root}", "--config-name=resolved_config")
    kept = run.inputs / "extensions" / "my_terms.py"
    run_command("train", *words, f"hydra.run.dir={again.root}", f"extensions=[{kept}]")
    assert again.metrics.read_bytes() == run.metrics.read_bytes()


def test_reading_a_configuration_runs_nothing_and_allows_nothing(run: RunPaths) -> None:
    config = load_experiment(run.resolved_config)
    with pytest.raises(ConfigError, match="nobody has named"):
        allowed_extensions(config)
    allow_named(config, ["seed=2", "reward.extensions=1"])
    with pytest.raises(ConfigError, match="nobody has named"):
        allowed_extensions(config)


def test_what_is_named_is_its_text(folder: Path, run: RunPaths) -> None:
    config = load_experiment(run.resolved_config)
    file = run.inputs / "extensions" / "my_terms.py"
    text = file.read_text()
    try:
        file.write_text(f"{text}\nnamed = True", encoding="utf-8")
        allow_named(config, ["+extensions=[x.py]"])
        assert [own.file for own in allowed_extensions(config)] == [str(file)]
        file.write_text(f"{text}\nnamed = False", encoding="utf-8")
        with pytest.raises(ConfigError, match="nobody has named"):
            allowed_extensions(config)
    finally:
        file.write_text(text, encoding="utf-8")


def test_a_model_that_sees_ones_own_needs_its_code(run: RunPaths) -> None:
    words = (*SCENARIOS, f"controllers=[fixed,{run.root}]")
    told = run_refused("evaluate", *words)
    assert "_model.zip: algorithm.observation.edge_features: unknown 'loaded_share'" in told
    kept = run.inputs / "extensions" / "my_terms.py"
    assert "run " in run_command("evaluate", *words, f"extensions=[{kept}]")
