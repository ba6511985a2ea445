"""`execution.trackers`, and the key of earlier versions whose place it took."""

from pathlib import Path

import pytest
import yaml
from composing import experiment
from omegaconf import DictConfig, OmegaConf

from trafficrl.config.load import load_experiment, save_experiment, to_experiment
from trafficrl.errors import ConfigError


def test_a_list_replaces_the_default() -> None:
    assert experiment().execution.trackers == ["csv", "tensorboard"]
    assert experiment("execution.trackers=[wandb]").execution.trackers == ["wandb"]
    assert experiment("execution.trackers=[]").execution.trackers == []


def test_an_unknown_tracker_is_named_with_the_nearest_and_all() -> None:
    said = (
        r"execution.trackers: unknown 'mlflw' \(did you mean 'mlflow'\?\); "
        "choices: csv, mlflow, tensorboard, wandb"
    )
    with pytest.raises(ConfigError, match=said):
        experiment("execution.trackers=[csv,mlflw]")


@pytest.mark.parametrize(("before", "now"), [("true", ["csv", "tensorboard"]), ("false", ["csv"])])
def test_runs_of_earlier_versions_are_read(before: str, now: list[str], tmp_path: Path) -> None:
    file = tmp_path / "resolved_config.yaml"
    save_experiment(experiment("execution.trackers=[mlflow]"), file)
    text = file.read_text()
    old = text.replace("  trackers:\n  - mlflow\n", f"  tensorboard: {before}\n")
    assert old != text
    file.write_text(old)
    assert load_experiment(file).execution.trackers == now
    values = yaml.safe_load(old)
    del values["defaults"]  # as with --config-name resolved_config
    composed = OmegaConf.create(values)
    assert isinstance(composed, DictConfig)
    assert to_experiment(composed).execution.trackers == now


def test_the_earlier_key_is_unknown_on_the_command_line() -> None:
    with pytest.raises(ConfigError, match="tensorboard"):
        experiment("+execution.tensorboard=false")
