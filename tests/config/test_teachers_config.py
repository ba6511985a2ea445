"""What cloning and kickstarting can be told, and what is refused."""

from dataclasses import fields
from pathlib import Path

import pytest
from composing import experiment

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import CollectConfig, ExperimentConfig
from trafficrl.config.identity import config_hash
from trafficrl.config.load import load_experiment, save_experiment
from trafficrl.errors import ConfigError


@pytest.mark.parametrize("algorithm", ["ppo_quick", "ppo_default", "ppo_shared"])
def test_no_member_has_a_teacher_unless_it_is_told(algorithm: str) -> None:
    chosen = experiment(f"algorithm={algorithm}", "execution.end_time=180").algorithm
    assert isinstance(chosen, CommonPPOConfig)
    assert not chosen.cloning.imitates
    assert chosen.kickstart.teacher is None


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("algorithm.kickstart.coef=-1", r"kickstart\.coef must be in 0\.\.1000"),
        ("algorithm.kickstart.fade_steps=0", r"fade_steps must be >= 1 \[environment steps\]"),
        ("algorithm.cloning.epochs=0", r"cloning\.epochs must be >= 1"),
        ("algorithm.cloning.held_out=1.0", r"cloning\.held_out must be in"),
        ("algorithm.cloning.value_coef=-0.1", r"cloning\.value_coef must be in"),
        ("algorithm.cloning.demonstrations=[a.npz,a.npz]", "a file is named twice"),
        ("algorithm.cloning.episodes=0", r"cloning\.episodes must be in"),
        ("algorithm.cloning.demand_seed=-1", r"cloning\.demand_seed must be in"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(word: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        experiment(word)


def test_files_and_a_teacher_are_not_named_together() -> None:
    with pytest.raises(ConfigError, match=r"set algorithm\.cloning\.teacher=null, got actuated"):
        experiment("algorithm.cloning.demonstrations=[a.npz]", "algorithm.cloning.teacher=actuated")


def test_one_episode_to_imitate_is_too_few() -> None:
    words = (
        "scenarios=heavy_realtime_s1",
        "algorithm.cloning.teacher=actuated",
        "algorithm.cloning.episodes=1",
    )
    with pytest.raises(ConfigError, match=r"cloning\.episodes must be >= 2 .* got 1"):
        experiment(*words)


def test_demonstrations_are_files_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    for name in ("one.npz", "other.npz"):
        (tmp_path / "inputs" / name).touch()
    given = f"algorithm.cloning.demonstrations=[{tmp_path}/inputs/one.npz]"
    config = experiment(given)
    save_experiment(config, tmp_path / "resolved_config.yaml")
    assert "- inputs/one.npz" in (tmp_path / "resolved_config.yaml").read_text()
    assert load_experiment(tmp_path / "resolved_config.yaml") == config
    assert config_hash(config) != config_hash(experiment())
    assert config_hash(config) != config_hash(experiment(given.replace("one", "other")))


def test_episodes_to_collect_are_counted() -> None:
    config = experiment()
    values = {name: getattr(config, name) for name in (f.name for f in fields(ExperimentConfig))}
    with pytest.raises(ConfigError, match="episodes must be in"):
        CollectConfig(**values, teacher="fixed", episodes=0)
