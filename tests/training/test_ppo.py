import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from learning_cases import (
    ALGORITHM,
    OBSERVATION,
    environments_of,
    equal_states,
    learner,
    other_city,
    save_new_model,
    small_task,
)
from model_cases import add_sidecar, model_file
from traffic_cases import DURATIONS, city

from trafficrl.config.algorithm import ActionConfig, Activation, PolicyKind
from trafficrl.errors import CheckpointError, ConfigError
from trafficrl.runs.registry import ModelRegistry
from trafficrl.training.models import load_model, write_model
from trafficrl.training.ppo import build_ppo, find_model, load_ancestor, resume_ppo


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    with learner(folder) as model:
        model.learn(8)
        write_model(model, folder / "model.zip", algorithm=ALGORITHM, network=city())
    return folder / "model.zip"


def test_a_batch_larger_than_the_rollout_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"batch_size .* 8 \* 1 = 8 transitions, got 9"),
        learner(tmp_path, replace(ALGORITHM, batch_size=9)),
    ):
        pass


@pytest.mark.parametrize(
    "device",
    ["gpu", "cuda:99", "cuda:99999999999999999999", "cuda:x", "meta", "mps", "", "CPU", "cpu:1"],
)
def test_an_unknown_or_absent_device_is_refused(tmp_path: Path, device: str) -> None:
    with learner(tmp_path) as model:
        environments = environments_of(model)
        with pytest.raises(ConfigError) as error:
            build_ppo(ALGORITHM, environments, small_task(), seed=1, device=device)
    message = str(error.value)
    assert message.startswith("execution.device")
    assert "cuda:N" in message
    assert "\n" not in message


def test_equal_seeds_give_equal_first_weights_and_others_do_not(tmp_path: Path) -> None:
    states = []
    for seed in (3, 3, 4):
        with learner(tmp_path, seed=seed) as model:
            states.append(model.policy.state_dict())
    assert equal_states(states[0], states[1])
    assert not equal_states(states[0], states[2])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"net_arch": [8, 9]}, "algorithm.net_arch was [8, 8], now it is [8, 9]"),
        ({"activation": Activation.elu}, "algorithm.activation was relu, now it is elu"),
        ({"policy": PolicyKind.phase_scores}, "algorithm.policy was mlp, now it is phase_scores"),
        (
            {"action": ActionConfig(kind=ALGORITHM.action.kind, interval_s=5)},
            "algorithm.action.interval_s was 10.0, now it is 5",
        ),
        (
            {"action": DURATIONS},
            "algorithm.action.kind was next_phase, now it is phase_durations",
        ),
        (
            {"observation": replace(OBSERVATION, network_features=[])},
            "algorithm.observation.network_features was ['time_normalized'], now it is []",
        ),
        (
            {"normalize_observation": True},
            "algorithm.normalize_observation was False, now it is True",
        ),
    ],
)
def test_resuming_as_something_else_names_the_key(
    saved: Path, tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    other = replace(ALGORITHM, **changes)
    with learner(tmp_path, other) as model, pytest.raises(CheckpointError) as error:
        resume_ppo(model, load_model(saved), other, city())
    assert str(error.value) == f"resume_from {saved}: {named}"


def test_resuming_on_another_network_names_both(saved: Path, tmp_path: Path) -> None:
    with learner(tmp_path) as model, pytest.raises(CheckpointError) as error:
        resume_ppo(model, load_model(saved), ALGORITHM, other_city())
    assert city().hash[:12] in str(error.value)
    assert other_city().hash[:12] in str(error.value)


def test_what_does_not_shape_the_model_may_change(saved: Path, tmp_path: Path) -> None:
    other = replace(ALGORITHM, learning_rate=1e-5, n_steps=4, batch_size=4, gamma=0.5)
    with learner(tmp_path, other) as model:
        loaded = load_model(saved)
        resume_ppo(model, loaded, other, city())
        assert loaded.timesteps == model.num_timesteps == 8
        assert equal_states(model.policy.state_dict(), loaded.policy_state)


def test_a_run_folder_means_its_final_model_or_its_newest_whole_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(CheckpointError, match=r"holds no final_model\.zip and no whole ch"):
        find_model(str(tmp_path), tmp_path)
    for steps in (900, 10_000, 2_000):
        model_file(tmp_path / "checkpoints" / f"step_{steps:010d}.zip")
    assert find_model(str(tmp_path), tmp_path).name == "step_0000010000.zip"
    (tmp_path / "checkpoints" / "step_0000010000.zip").write_bytes(b"cut")
    assert find_model(str(tmp_path), tmp_path).name == "step_0000002000.zip"
    assert "step_0000010000.zip: 3 bytes instead of" in caplog.text
    for steps, name in ((2_000, "final_model.zip"), (900, "step_0000002000.zip")):  # learns longer
        model_file(tmp_path / "final_model.zip", timesteps=steps)
        assert find_model(str(tmp_path), tmp_path).name == name
    (tmp_path / "final_model.yaml").unlink()
    (tmp_path / "final_model.zip").touch()
    assert find_model(str(tmp_path), tmp_path).name == "final_model.zip"
    assert find_model(str(tmp_path / "any.zip"), tmp_path) == tmp_path / "any.zip"


def test_a_name_means_the_registered_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = ModelRegistry(tmp_path / "models")
    entry = registry.tag(model_file(tmp_path / "model.zip"), "city@v1")
    for name in ("city@v1", "city"):
        assert find_model(name, registry.folder) == entry.file
    with pytest.raises(CheckpointError, match=r"resume_from: unknown 'city@v2' \(did .* 'city@v1'"):
        find_model("city@v2", registry.folder)
    monkeypatch.chdir(tmp_path)
    Path("city").mkdir()  # a folder comes before a name
    Path("city/final_model.zip").touch()
    assert find_model("city", registry.folder) == Path("city/final_model.zip")
    entry.file.write_bytes(b"cut")
    with pytest.raises(CheckpointError, match=r"city@v1: .* bytes instead of"):
        find_model("city@v1", registry.folder)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with learner(tmp_path) as model, pytest.raises(CheckpointError, match=r"no such model file"):
        resume_ppo(model, load_model(tmp_path / "absent.zip"), ALGORITHM, city())


def test_a_model_that_was_put_in_anothers_place_is_refused(saved: Path, tmp_path: Path) -> None:
    shutil.copy(saved, tmp_path / "final_model.zip")
    assert load_ancestor(str(tmp_path), tmp_path).timesteps == 8  # no sidecar: nothing is promised
    add_sidecar(tmp_path / "final_model.zip")
    assert load_ancestor(str(tmp_path), tmp_path).timesteps == 8
    save_new_model(tmp_path / "other.zip", seed=2)
    (tmp_path / "other.zip").replace(tmp_path / "final_model.zip")
    with pytest.raises(CheckpointError, match=r"final_model\.zip: .*another file|SHA-256"):
        load_ancestor(str(tmp_path), tmp_path)
