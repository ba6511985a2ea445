"""The main job, end to end, as a user runs it: real SUMO, real PPO, small numbers."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from cut_cases import CODE
from forked_cases import forked
from omegaconf import OmegaConf

from trafficrl.runs.paths import RunPaths
from trafficrl.runs.stop import STOPPED_EXIT_CODE
from trafficrl.training.models import load_model

SMALL = (
    "scenarios.morning.num_vehicles=40",
    "scenarios.evening.num_vehicles=40",
    "algorithm.learning_rate=1e-3",
    "algorithm.n_steps=16",
    "algorithm.batch_size=16",
    "execution.total_timesteps=64",
    "execution.eval_freq=32",
    "execution.checkpoint_freq=32",
    "execution.validation_seeds=1",
    "execution.end_time=120",
    "evaluation.baselines=[fixed,max_pressure]",
    "evaluation.seeds=2",
    "evaluation.workers=1",
)


def train(folder: Path, *words: str) -> RunPaths:
    done = forked("train", *SMALL, *words, f"hydra.run.dir={folder}", folder=folder.parent)
    assert done.returncode == 0, done.stderr
    return RunPaths(folder)


def weights(paths: RunPaths) -> list[torch.Tensor]:
    return list(load_model(paths.final_model).policy_state.values())


def same_weights(one: RunPaths, other: RunPaths) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def first(folder: Path) -> RunPaths:
    return train(folder / "first")


def test_a_run_folder_holds_all_it_promises(first: RunPaths) -> None:
    record = json.loads(first.run.read_text())
    assert record["status"] == "finished"
    assert record["timesteps"] == 64
    assert record["provenance"]["packages"]["eclipse-sumo"].startswith("1.28")
    assert [row["timesteps"] for row in rows(first)] == ["32", "64"]
    assert {file.name for file in first.root.iterdir()} == {
        ".lock",
        "best_model.yaml",
        "best_model.zip",
        "checkpoints",
        "evaluation",
        "final_model.yaml",
        "final_model.zip",
        "metrics.csv",
        "metrics_summary.json",
        "network",
        "resolved_config.yaml",
        "run.json",
        "tensorboard",
        "train.log",
    }
    assert [file.name for file in sorted(first.checkpoints.iterdir())] == [
        f"step_{steps:010d}{suffix}" for steps in (32, 64) for suffix in (".yaml", ".zip")
    ]


def test_results_hold_all_controllers_on_the_same_seeds(first: RunPaths) -> None:
    results = json.loads((first.evaluation / "results.json").read_text())
    assert results["baseline"] == "fixed"
    episodes = results["episodes"]
    assert len(episodes) == 3 * 2 * 2
    keys = {
        name: {(e["scenario"], e["sumo_seed"]) for e in episodes if e["controller"] == name}
        for name in ("fixed", "max_pressure", "policy")
    }
    assert keys["fixed"] == keys["max_pressure"] == keys["policy"]
    assert len(keys["fixed"]) == 4
    difference = results["paired_differences"]["policy"]["delay_s"]
    assert difference["low"] <= difference["mean"] <= difference["high"]


def test_the_same_command_twice_gives_the_same_run(first: RunPaths, folder: Path) -> None:
    again = train(folder / "again")
    assert again.metrics.read_bytes() == first.metrics.read_bytes()
    assert same_weights(again, first)


@pytest.mark.slow
def test_a_resolved_config_alone_gives_the_same_run(first: RunPaths, folder: Path) -> None:
    run = folder / "from_file"
    words = (f"--config-dir={first.root}", "--config-name=resolved_config")
    done = forked("train", *words, f"hydra.run.dir={run}", folder=folder)
    assert done.returncode == 0, done.stderr
    assert RunPaths(run).metrics.read_bytes() == first.metrics.read_bytes()
    assert same_weights(RunPaths(run), first)
    one, other = (OmegaConf.load(p.resolved_config) for p in (first, RunPaths(run)))
    assert one == other


@pytest.mark.slow
def test_a_multirun_over_seeds_gives_different_runs(folder: Path) -> None:
    sweep = folder / "sweep"
    words = ("-m", "seed=1,2", f"hydra.sweep.dir={sweep}", "execution.single_env=true")
    done = forked("train", *SMALL, *words, "execution.eval_freq=0", folder=folder)
    assert done.returncode == 0, done.stderr
    one, two = RunPaths(sweep / "0"), RunPaths(sweep / "1")
    assert one.metrics.read_bytes() != two.metrics.read_bytes()
    assert not same_weights(one, two)


def test_resuming_goes_on_with_steps_and_schedules(first: RunPaths, folder: Path) -> None:
    words = ("~scenarios.morning", f"resume_from={first.root}", "execution.eval_freq=0")
    resumed = train(folder / "resumed", *words)
    assert [int(row["timesteps"]) for row in rows(resumed)][-1] == 128
    assert load_model(resumed.final_model).timesteps == 128
    rates = [float(row["train/learning_rate"]) for row in rows(resumed)]
    # linear to 0 at step 128: the first update of the second half sits at half of the start
    assert rates[0] == pytest.approx(0.5e-3)
    assert not same_weights(resumed, first)


def test_a_model_is_evaluated_beside_fixed_time(first: RunPaths, folder: Path) -> None:
    run = folder / "judged"
    words = (f"controllers=[fixed,{first.best_model}]", f"hydra.run.dir={run}")
    done = forked("evaluate", *SMALL, *words, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "best_model" in done.stdout
    judged = json.loads((run / "evaluation" / "results.json").read_text())
    trained = json.loads((first.evaluation / "results.json").read_text())
    assert judged["means"]["best_model"] == trained["means"]["policy"]
    assert judged["means"]["fixed"] == trained["means"]["fixed"]


def test_a_finished_run_is_left_alone(first: RunPaths, folder: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in first.root.rglob("*.*")}
    done = forked("train", *SMALL, f"hydra.run.dir={first.root}", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "this run is finished: nothing is left to do" in done.stdout
    after = {file: file.stat().st_mtime_ns for file in first.root.rglob("*.*")}
    assert {file.name for file in after if after[file] != before.get(file)} == {"train.log"}


@pytest.mark.slow
def test_a_finished_run_learns_longer_when_it_is_told_to(folder: Path) -> None:
    small = ("execution.eval_freq=0", "execution.single_env=true", "evaluation.seeds=1")
    run = train(folder / "longer", *small)
    rows_before = rows(run)
    train(folder / "longer", *small, "execution.total_timesteps=96")
    assert rows(run)[: len(rows_before)] == rows_before
    assert [row["timesteps"] for row in rows(run)][-1] == "96"
    assert json.loads(run.run.read_text())["timesteps"] == 96


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("resume_from=nowhere.zip",), "nowhere.zip: there is no such model file"),
        (("algorithm.batch_size=999",), "algorithm.batch_size must be <= n_steps * environments"),
        (("execution.device=gpu9",), "execution.device=gpu9"),
    ],
)
def test_a_run_that_cannot_begin_says_why(words: tuple[str, ...], said: str, folder: Path) -> None:
    run = folder / f"failed-{len(said)}"
    done = forked("train", *SMALL, *words, f"hydra.run.dir={run}", folder=folder)
    assert done.returncode != 0
    assert said in one_line(done.stderr)
    assert json.loads((run / "run.json").read_text())["status"] == "failed"
    assert not (run / "final_model.zip").exists()
    assert not (run / "work").exists()


def test_the_model_goes_to_another_network(first: RunPaths, folder: Path) -> None:
    words = (f"controllers=[fixed,{first.best_model}]", f"hydra.run.dir={folder / 'other'}")
    done = forked("evaluate", *SMALL, "network.block_size_m=210", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "other/evaluation/results.json").read_text())
    assert len(results["episodes"]) == 2 * 2 * 2


def test_a_model_that_sees_more_than_sumo_knows_is_refused(first: RunPaths, folder: Path) -> None:
    words = (f"controllers=[{first.best_model}]", f"hydra.run.dir={folder / 'meso'}")
    done = forked("evaluate", *SMALL, "execution.simulator=meso", *words, folder=folder)
    assert done.returncode == 2
    assert "phase_near and phase_next do not go with" in one_line(done.stderr)


def test_an_interrupt_stops_the_run_and_leaves_no_process(folder: Path) -> None:
    run = folder / "interrupted"
    words = ("execution.total_timesteps=100000", f"hydra.run.dir={run}")
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *SMALL, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: (run / "metrics.csv").exists() and rows(RunPaths(run)))
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the job
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()  # nothing to it when the interrupt has worked
    assert process.returncode == STOPPED_EXIT_CODE
    said = f"trafficrl-train: stopped (SIGINT): the same command goes on with hydra.run.dir={run}"
    assert one_line(stderr) == said
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"
    wait_until(lambda: not group_lives(process.pid), timeout_s=10)


def test_generate_leaves_network_picture_and_demand(folder: Path) -> None:
    run = folder / "generated"
    done = forked("generate", *SMALL, f"hydra.run.dir={run}", folder=folder)
    assert done.returncode == 0, done.stderr
    assert (run / "network" / "network.net.xml").is_file()
    assert (run / "network" / "network.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((run / "demand").glob("*.rou.xml"))) == 2


def rows(paths: RunPaths) -> list[dict[str, Any]]:
    with paths.metrics.open(newline="") as stream:
        return list(csv.DictReader(stream))


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def one_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def wait_until(condition: Any, timeout_s: float = 60.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)
