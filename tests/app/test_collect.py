"""What a user types to collect, to clone and to kickstart, and what is refused."""

import json
from functools import cache
from pathlib import Path

import pytest
from run_cases import SCENARIOS, TRAINING, ended, run_command
from traffic_cases import scratch

from trafficrl.env.demonstrations import load_demonstrations
from trafficrl.runs.seeding import Split
from trafficrl.training.models import load_model

SHARED = ("algorithm=ppo_shared", "reward=local_queue", "controller.max_pressure.interval_s=5")


def failed(name: str, *words: str, cwd: Path) -> tuple[int, str]:
    done = ended(name, *words, folder=cwd)
    (line,) = [line for line in done.stderr.splitlines() if not line[:2].isdigit()]
    return done.returncode, line


@cache
def collected() -> Path:
    """The demonstrations of a command, for a shared policy."""
    words = (*SCENARIOS, *SHARED, "teacher=max_pressure", "episodes=1")
    run_command("collect", *words, "hydra.run.dir=collected")
    return scratch() / "collected" / "demonstrations.npz"


def test_the_command_writes_what_the_teacher_did_on_training_demand() -> None:
    found = load_demonstrations(collected())
    scenarios = [episode["scenario"] for episode in found.facts["episodes"]]
    assert scenarios == ["morning", "evening"]
    first, count = Split.training.value
    for episode in found.facts["episodes"]:
        assert first <= episode["demand_seed"] < first + count
    assert found.facts["teacher"] == "max_pressure"
    assert found.facts["parameters"]["interval_s"] == 5.0
    assert found.facts["sumo"].startswith("1.")
    assert len(found.facts["config_hash"]) == 64
    assert found.exact.all()
    assert found.observations.shape[:2] == (48, 9) == found.actions.shape == found.rewards.shape
    folder = collected().parent
    kept = {file.name for file in folder.iterdir()} - {"collect.log"}
    assert kept == {"demonstrations.npz", "demonstrations.yaml", "network", "resolved_config.yaml"}
    assert "trafficrl-collect --config-dir" in (folder / "resolved_config.yaml").read_text()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("teacher=max_presure", "teacher: unknown 'max_presure' (did you mean 'max_pressure'?)"),
        ("teacher=tree_method", "the learner every algorithm.action.interval_s=5"),
    ],
)
def test_a_wrong_teacher_is_one_line(word: str, told: str, tmp_path: Path) -> None:
    code, line = failed("collect", *SCENARIOS, word, "hydra.run.dir=run", cwd=tmp_path)
    assert code == 2
    assert told in line
    assert not list(tmp_path.glob("run/*.npz"))


@pytest.mark.slow
def test_a_training_clones_and_follows_and_keeps_what_it_was_given(tmp_path: Path) -> None:
    words = (
        *(*SCENARIOS, *TRAINING, *SHARED),
        f"algorithm.cloning.demonstrations=[{collected()}]",
        "algorithm.cloning.epochs=2",
        "algorithm.kickstart.teacher=max_pressure",
        "algorithm.kickstart.fade_steps=32",
        "execution.total_timesteps=32",
        "execution.eval_freq=0",
        "evaluation.seeds=1",
    )
    run_command("train", *words, f"hydra.run.dir={tmp_path / 'run'}")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert 0.0 < record["cloning"]["agreement"] <= 1.0
    assert record["cloning"]["rows"] == 48 * 9
    (kept,) = (tmp_path / "run" / "inputs").rglob("*.npz")
    assert kept.read_bytes() == collected().read_bytes()
    header = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0]
    assert "train/teacher_coef" in header
    assert load_model(tmp_path / "run" / "final_model.zip").timesteps == 32


def test_demonstrations_that_are_not_there_are_told_in_one_line(tmp_path: Path) -> None:
    word = "algorithm.cloning.demonstrations=[no.npz]"
    code, line = failed("train", *SCENARIOS, word, "hydra.run.dir=run", cwd=tmp_path)
    assert code == 2
    assert "algorithm.cloning.demonstrations: there is no file 'no.npz'" in line
