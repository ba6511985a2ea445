"""With which configuration a run goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from run_cases import trained
from traffic_cases import scratch

from trafficrl.app.dry_run import dry_run
from trafficrl.app.reopen import clear_leftovers, is_finished, reopened
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import load_experiment
from trafficrl.errors import ConfigError
from trafficrl.runs.paths import RunPaths


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    """A run that was cut."""
    paths = RunPaths(tmp_path / "run")
    shutil.copytree(trained(), paths.root)
    tell(paths, "running")
    return paths


def tell(paths: RunPaths, status: str) -> None:
    paths.run.write_text(json.dumps(json.loads(paths.run.read_text()) | {"status": status}))


def longer(config: ExperimentConfig) -> ExperimentConfig:
    return replace(config, execution=replace(config.execution, total_timesteps=128))


def test_the_same_configuration_goes_on(paths: RunPaths) -> None:
    before = load_experiment(paths.resolved_config)
    assert reopened(before, paths, []) == before


def test_a_file_that_was_edited_meanwhile_is_told_with_its_keys(paths: RunPaths) -> None:
    edited = longer(load_experiment(paths.resolved_config))
    edited = replace(edited, reward=replace(edited.reward, sample_s=2.0))
    with pytest.raises(ConfigError) as caught:
        reopened(edited, paths, ["execution=quick_test", "seed=1"])
    message = str(caught.value)
    assert "execution.total_timesteps was 64, is 128" in message
    assert "reward.sample_s was" in message
    assert "\n" not in message


def test_an_override_that_names_the_key_says_otherwise(paths: RunPaths) -> None:
    before = load_experiment(paths.resolved_config)
    found = reopened(longer(before), paths, ["execution.total_timesteps=128"])
    assert found == longer(before)


def test_what_a_training_cannot_change_is_refused(paths: RunPaths) -> None:
    before = load_experiment(paths.resolved_config)
    for changed, word in (
        (replace(before, seed=7), "seed"),
        (replace(before, execution=replace(before.execution, end_time=99)), "execution.end_time"),
    ):
        with pytest.raises(ConfigError, match=f"cannot go on with {word} was .*resume_from="):
            reopened(changed, paths, [f"{word}=7"])


def test_a_run_that_never_began_takes_what_it_is_given(paths: RunPaths) -> None:
    tell(paths, "failed")
    changed = replace(load_experiment(paths.resolved_config), seed=7)
    with pytest.raises(ConfigError):
        reopened(changed, paths, [])
    shutil.rmtree(paths.checkpoints)
    assert reopened(changed, paths, []) == changed


def test_what_a_killed_process_left_is_cleared(paths: RunPaths) -> None:
    left = paths.checkpoints / f".step_0000000064-{'0' * 32}.zip"
    for file in (left, paths.work / "slot-0" / "trips.xml", paths.root / ".hidden"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    clear_leftovers(paths)
    assert not left.exists()
    assert not paths.work.exists()
    assert (paths.root / ".hidden").exists()


def test_only_a_finished_run_is_finished(paths: RunPaths) -> None:
    config = load_experiment(paths.resolved_config)
    assert not is_finished(config, paths)
    tell(paths, "finished")
    assert is_finished(config, paths)
    assert not is_finished(longer(config), paths)
    assert not is_finished(config, RunPaths(paths.root / "nowhere"))


def test_a_dry_run_tells_how_a_run_would_go_on_and_changes_nothing(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(scratch())  # where its network is built already
    tell(paths, "finished")
    before = content(paths.root)
    config = load_experiment(paths.resolved_config)
    dry_run(config, paths.root, [])
    told = f"dry run: {paths.root}: this run is finished: nothing is left to do\n"
    assert capsys.readouterr().out == told
    with pytest.raises(ConfigError, match=r"another configuration: seed was 1.*anew=\['KEY'\] of"):
        dry_run(replace(config, seed=2), paths.root, [])
    dry_run(longer(config), paths.root, ["execution.total_timesteps=128"])
    out = capsys.readouterr().out
    assert f"goes on in {paths.root}, where 64 of its steps are done\n" in out
    assert " for 64 steps\n" in out
    assert content(paths.root) == before


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
