"""A training that imitates what a teacher has driven for it, once for all that imitate the same."""

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from run_cases import SCENARIOS, TRAINING, ended, run_command
from traffic_cases import scratch

from trafficrl.app.compose import compose_experiment, compose_task
from trafficrl.app.imitating import driven_before, to_imitate, with_demonstrations
from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.demonstrations import ARRAYS, load_demonstrations
from trafficrl.env.task import Task
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import file_sha256

CACHE = "outputs/cache"
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


def imitating(*words: str) -> ExperimentConfig:
    return compose_experiment([*WORDS, f"execution.cache_dir={scratch() / CACHE}", *words])


def driven(config: ExperimentConfig, task: Task | None = None) -> Path | None:
    cloning = to_imitate(config)
    assert cloning is not None
    return driven_before(config, cloning, task or compose_task(config))


def test_it_imitates_what_would_have_been_collected_for_it() -> None:
    words = (*SCENARIOS, *SHARED, "teacher=max_pressure", "episodes=1")
    run_command("collect", *words, "hydra.run.dir=collected")
    wanted = load_demonstrations(scratch() / "collected" / "demonstrations.npz")
    found = load_demonstrations(imitated(taught() / "0"))
    for name in ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert found.facts["episodes"] == wanted.facts["episodes"]
    assert found.facts["teacher"] == "max_pressure"
    record = json.loads(RunPaths(taught() / "0").run.read_text())
    assert record["cloning"]["rows"] == 48 * 9
    assert record["cloning"]["sha256"] == [file_sha256(imitated(taught() / "0"))]
    assert not RunPaths(taught() / "0").work.exists()


def test_the_trainings_of_a_sweep_imitate_the_same_and_it_is_driven_once() -> None:
    one, other = (taught() / number for number in ("0", "1"))
    assert imitated(one).read_bytes() == imitated(other).read_bytes()
    logs = [(run / "train.log").read_text() for run in (one, other)]
    assert ["collecting: 2/2" in log for log in logs] == [True, False]
    assert ["was driven before" in log for log in logs] == [False, True]
    assert ["its actions say all" in log for log in logs] == [True, True]


def test_a_model_that_goes_on_has_learned_and_imitates_only_when_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = imitating(f"resume_from={RunPaths(taught() / '0').final_model}")
    changed = with_demonstrations(config, compose_task(config), RunPaths(tmp_path)).algorithm
    assert isinstance(changed, CommonPPOConfig)
    assert not changed.cloning.imitates
    assert list(tmp_path.iterdir()) == []
    assert "nothing is imitated: " in caplog.text
    told = imitating(f"resume_from={config.resume_from}", "algorithm.cloning.after_resume=true")
    assert driven(told) is not None


@pytest.mark.parametrize(
    "word",
    [
        "algorithm.cloning.demand_seed=2",
        "algorithm.cloning.episodes=2",
        "algorithm.cloning.teacher=longest_queue",
        "controller.max_pressure.max_green_s=50",
        "scenarios.evening.num_vehicles=41",
        "algorithm.curriculum.first_share=0.5",
        "algorithm.observation.reach_m=200",
        "reward.neighbour_share=0.5",
        "execution.end_time=125",
    ],
)
def test_what_decides_the_demonstrations_has_them_driven_again(word: str) -> None:
    taught()
    assert driven(imitating(word)) is None


def test_what_does_not_decide_them_leaves_them() -> None:
    taught()
    assert driven(imitating("algorithm.learning_rate=0.5", "seed=9")) is not None


def test_scenarios_that_take_turns_in_another_order_give_other_demonstrations() -> None:
    taught()
    config = imitating()
    task = compose_task(config)
    turned = replace(task, scenarios=dict(reversed(list(task.scenarios.items()))))
    assert driven(config, task) is not None
    assert driven(config, turned) is None


def test_damaged_demonstrations_are_driven_again(tmp_path: Path) -> None:
    words = [*WORDS, f"execution.cache_dir={tmp_path / 'cache'}"]
    config = compose_experiment(words)
    whole = driven(imitating())
    assert whole is not None
    damaged = tmp_path / "cache" / "demonstrations" / whole.name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(whole.read_bytes()[:-100])
    assert driven(config) is None
    shutil.copyfile(whole, damaged)
    assert driven(config) == damaged


def test_a_run_that_was_cut_before_it_learned_imitates_its_own_copy(tmp_path: Path) -> None:
    config = compose_experiment([*WORDS, f"execution.cache_dir={tmp_path / 'cache'}"])
    copy = RunPaths(tmp_path).inputs / "algorithm-cloning-teacher" / "demonstrations.npz"
    copy.parent.mkdir(parents=True)
    shutil.copyfile(imitated(taught() / "0"), copy)
    task = compose_task(config)
    changed = with_demonstrations(config, task, RunPaths(tmp_path)).algorithm
    assert isinstance(changed, CommonPPOConfig)
    assert changed.cloning.demonstrations == [str(copy)]
    assert not (tmp_path / "cache" / "demonstrations").exists()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("teacher=max_presure", "algorithm.cloning.teacher: unknown 'max_presure' (did you mean"),
        ("teacher=tree_method", "the learner every algorithm.action.interval_s=5"),
    ],
)
def test_a_wrong_teacher_is_one_line(word: str, told: str, tmp_path: Path) -> None:
    words = [*WORDS, f"algorithm.cloning.{word}", "hydra.run.dir=run"]
    done = ended("train", *words, folder=tmp_path)
    (line,) = [line for line in done.stderr.splitlines() if not line[:2].isdigit()]
    assert done.returncode == 2
    assert told in line
    assert not list(tmp_path.glob("run/inputs/**/*.npz"))


def test_a_teacher_that_sees_nothing_in_the_mesoscopic_model_is_told_at_once(
    tmp_path: Path,
) -> None:
    meso = ("algorithm=ppo_shared_meso", "execution.simulator=meso")
    words = [*WORDS, *meso, "algorithm.cloning.teacher=delay_based", "hydra.run.dir=run"]
    done = ended("train", *words, folder=tmp_path)
    assert done.returncode == 2
    assert "algorithm.cloning.teacher: delay_based" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dry_run_tells_what_was_driven_and_what_would_be() -> None:
    taught()
    words = (*WORDS, "algorithm.cloning.demand_seed=1,2", "execution.dry_run=true")
    one, _, other = run_command("train", "-m", *words).partition("imitates 432 rows first")
    assert "imitates" not in one
    assert "imitates 2 episodes of its teacher first" in other
    assert ", demonstrations " in other
