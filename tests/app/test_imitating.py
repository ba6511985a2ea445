"""A training that imitates what a teacher has driven for it, once for all that imitate the same."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from run_cases import SCENARIOS, TRAINING, ended, run_command
from traffic_cases import scratch

from trafficrl.app.compose import compose_experiment, compose_task
from trafficrl.app.imitating import episodes_to_drive, to_imitate, with_demonstrations
from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.demonstrations import ARRAYS, load_demonstrations
from trafficrl.runs.paths import RunPaths

SHARED = ("algorithm=ppo_shared", "reward=local_queue", "controller.max_pressure.interval_s=5")
WORDS = (
    *(*SCENARIOS, *TRAINING, *SHARED),
    "algorithm.cloning.teacher=max_pressure",
    "algorithm.cloning.episodes=1",
    "algorithm.cloning.epochs=1",
    "execution.total_timesteps=16",
    "execution.eval_freq=0",
    "evaluation.seeds=1",
)


@cache
def taught() -> Path:
    """The folder of two trainings that imitate the same."""
    run_command("train", "-m", *WORDS, "seed=3,4", "hydra.sweep.dir=taught")
    return scratch() / "taught"


def imitated(run: Path) -> Path:
    (file,) = RunPaths(run).inputs.rglob("*.npz")
    return file


def resumed(model: Path, *words: str) -> ExperimentConfig:
    return compose_experiment([*WORDS, f"resume_from={model}", *words])


def test_it_imitates_what_would_have_been_collected_for_it() -> None:
    run_command(
        "collect", *SCENARIOS, *SHARED, "teacher=max_pressure", "episodes=1", "hydra.run.dir=c"
    )
    wanted = load_demonstrations(scratch() / "c" / "demonstrations.npz")
    found = load_demonstrations(imitated(taught() / "0"))
    for name in ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert found.facts["episodes"] == wanted.facts["episodes"]
    assert found.facts["teacher"] == "max_pressure"
    record = json.loads(RunPaths(taught() / "0").run.read_text())
    assert record["cloning"]["rows"] == 48 * 9
    assert not RunPaths(taught() / "0").work.exists()


def test_the_trainings_of_a_sweep_imitate_the_same_and_it_is_driven_once() -> None:
    one, other = (taught() / number for number in ("0", "1"))
    assert imitated(one).read_bytes() == imitated(other).read_bytes()
    logs = [(run / "train.log").read_text() for run in (one, other)]
    assert ["was driven before" in log for log in logs] == [False, True]
    weights = [RunPaths(run).final_model.read_bytes() for run in (one, other)]
    assert weights[0] != weights[1]


def test_a_model_that_has_imitated_the_same_learns_on(tmp_path: Path) -> None:
    model = RunPaths(taught() / "0").final_model
    assert to_imitate(resumed(model)) is None
    assert to_imitate(resumed(model, "algorithm.cloning.episodes=2")) is not None
    assert to_imitate(resumed(model, "algorithm.cloning.teacher=longest_queue")) is not None
    config = resumed(model)
    changed = with_demonstrations(config, compose_task(config), RunPaths(tmp_path)).algorithm
    assert isinstance(changed, CommonPPOConfig)
    assert not changed.cloning.imitates
    assert list(tmp_path.iterdir()) == []


def test_what_decides_the_demonstrations_decides_whether_they_are_driven_again() -> None:
    cache_dir = f"execution.cache_dir={scratch() / 'outputs' / 'cache'}"
    config = compose_experiment([*WORDS, cache_dir])
    taught()
    task = compose_task(config)
    assert isinstance(config.algorithm, CommonPPOConfig)
    cloning = config.algorithm.cloning
    assert episodes_to_drive(cloning, config, task) == 0
    for other in (replace(cloning, demand_seed=2), replace(cloning, teacher="longest_queue")):
        assert episodes_to_drive(other, config, task) == 2
    assert episodes_to_drive(cloning, config, replace(task, end_s=125.0)) == 2


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("max_presure", "algorithm.cloning.teacher: unknown 'max_presure' (did you mean"),
        ("tree_method", "the learner every algorithm.action.interval_s=5"),
    ],
)
def test_a_wrong_teacher_is_one_line(word: str, told: str, tmp_path: Path) -> None:
    words = [*WORDS, f"algorithm.cloning.teacher={word}", "hydra.run.dir=run"]
    done = ended("train", *words, folder=tmp_path)
    (line,) = [line for line in done.stderr.splitlines() if not line[:2].isdigit()]
    assert done.returncode == 2
    assert told in line
    assert not list(tmp_path.glob("run/inputs/**/*.npz"))


def test_a_dry_run_tells_what_would_be_driven(tmp_path: Path) -> None:
    done = ended("train", *WORDS, "execution.dry_run=true", folder=tmp_path)
    assert "imitates 2 episodes of its teacher first" in done.stdout
    assert ", demonstrations " in done.stdout
