"""What notebooks and scripts call, with code of their own: the same runs, nothing left behind."""

import asyncio
import json
import logging
import os
import random
import runpy
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
import yaml
from forked_cases import forked
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from matplotlib import pyplot
from run_cases import SCENARIOS, TRAINING, run_command

import trafficrl as tr
from trafficrl.app import api
from trafficrl.app.consent import allow_named, allowed_extensions
from trafficrl.config.load import load_experiment
from trafficrl.errors import ConfigError, SimulationError
from trafficrl.runs.sidecars import file_sha256
from trafficrl.runs.stop import Stopped, StopRequest

EXAMPLES = Path(tr.__file__).parents[1] / "examples"
CODE = (EXAMPLES / "my_features.py").read_text(encoding="utf-8")
CENTRAL = ("algorithm=ppo_quick", "reward=delay")
SMALL = (*CENTRAL, *SCENARIOS[:1], *SCENARIOS[2:], "~scenarios.evening", *TRAINING)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def small(folder: Path) -> tuple[str, ...]:
    places = {"execution.cache_dir": "cache", "evaluation.database": "evaluations"}
    mine = (f"{key}={folder / name}" for key, name in places.items())
    return (*SMALL, "execution.total_timesteps=32", *mine)


def everything_global() -> list[Any]:
    """What a call could change in the process that it was made in."""
    return [
        GlobalHydra.instance().is_initialized(),
        HydraConfig.initialized(),
        [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)],
        Path.cwd(),
        {key: value for key, value in os.environ.items() if not key.startswith("TORCHINDUCTOR")},
        [logging.getLogger(name).handlers[:] for name in ("", "trafficrl")],
        [logging.getLogger(name).level for name in ("", "trafficrl")],
        random.getstate(),
        np.random.get_state()[1].tolist(),  # type: ignore[index]  # noqa: NPY002
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
    ]


@pytest.fixture(scope="module")
def left_behind() -> list[list[Any]]:
    return []


@pytest.fixture(scope="module")
def run(folder: Path, small: tuple[str, ...], left_behind: list[list[Any]]) -> tr.Run:
    """That of the example which brings features of its own, run as a notebook would run it.

    It was trained in one process and judged in another; both ran the features' file.
    """
    words = ("execution.single_env=false", "execution.parallel_envs=1")

    async def cell() -> None:
        runpy.run_path(str(EXAMPLES / "custom_observation.py"), run_name="__main__")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["custom_observation.py", *small, *words])
        left_behind.append(everything_global())
        asyncio.run(cell())
        left_behind.append(everything_global())
    return tr.load_run(folder / "outputs" / "examples" / "custom_observation")


def test_a_training_leaves_the_process_as_it_was(run: tr.Run, left_behind: Any) -> None:
    before, after = left_behind
    assert after == before


def test_a_run_is_read_as_arrays_and_results_and_a_policy(run: tr.Run) -> None:
    again = tr.load_run(str(run.folder))
    assert again.record["status"] == "finished"
    assert again.config.execution.total_timesteps == 32
    assert again.metrics["timesteps"].tolist() == [16.0, 32.0]
    scores = again.metrics["validation/delay_s"]
    assert np.isfinite(scores).tolist() == [False, True]
    assert again.record["best_score"] == pytest.approx(-np.nanmin(scores))
    assert again.results.controllers == ["fixed", "policy"]
    assert again.results.verdict("policy") == again.record["verdict"]
    assert (run.folder / "train.log").read_text().count("INFO validation at") == 1


def test_a_run_is_the_same_one_after_a_change_of_the_folder(
    run: tr.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder.parent)
    found = tr.load_run(run.folder.name)
    monkeypatch.chdir(tmp_path)
    assert found.record["status"] == "finished"
    assert found == run


def test_a_policy_is_shown_in_a_few_words(run: tr.Run) -> None:
    assert len(repr(run.policy())) < 500


def test_its_policy_acts_in_its_environment(run: tr.Run, small: tuple[str, ...]) -> None:
    file = run.paths.inputs / "extensions" / "my_features.py"
    config = tr.compose(run=run, extensions=[file])
    assert config.algorithm == run.config.algorithm
    policy, env = run.policy(), tr.make_env(config)
    observation, _ = env.reset()
    with (
        closing(tr.make_env(config)) as other,
        pytest.raises(SimulationError, match=r"env\.close\(\)"),
    ):
        other.reset()
    observation, _, _, _, info = env.step(policy.act(observation))
    assert env.observation_space.contains(observation)
    assert info["scenario"] == "morning"
    env.close()
    assert len(tr.build_network(config).signals) == len(policy.num_phases)


def test_the_same_call_finds_the_run_finished_and_another_is_refused(
    run: tr.Run, folder: Path
) -> None:
    file = run.paths.inputs / "extensions" / "my_features.py"
    config = tr.compose(run=run, extensions=[file])
    before = run.paths.metrics.stat().st_mtime_ns
    assert tr.train(config, run.folder) == run
    longer = replace(config, execution=replace(config.execution, checkpoint_freq=32))
    with pytest.raises(ConfigError, match=r"checkpoint_freq was 64, is 32"):
        tr.train(longer, run.folder)
    assert run.paths.metrics.stat().st_mtime_ns == before


def test_a_notebook_judges_a_checkpoint(
    run: tr.Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its cells in their order, in the main thread and amid an event loop, as in a kernel."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    shutil.copytree(run.folder, tmp_path / "outputs" / "examples" / "ppo")
    file = EXAMPLES / "evaluate_checkpoint.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}

    async def kernel() -> None:
        for cell in cells:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)  # noqa: S102 - as a kernel does

    asyncio.run(kernel())
    pyplot.close("all")
    table = names["table"]
    assert table.controllers == ["fixed", "max_pressure", "step_0000000032", "best_model"]
    assert len(table.results) == 4 * 3
    assert len(names["rewards"]) == 12
    told = capsys.readouterr().out
    assert "finished after 32 environment steps" in told
    assert f"step_0000000032: {names['difference'].mean:+.1f} s against fixed" in told
    (results,) = (tmp_path / "outputs").glob("*-*-*/*/evaluation/results.json")
    assert json.loads(results.read_text())["baseline"] == "fixed"


def assigned() -> Any:
    config: Any = tr.compose()
    config.algorithm.gamma = 5.0
    return config


def closed_env() -> Any:
    env = tr.make_env(tr.compose("network=grid3"))
    env.close()
    return env


MISTAKES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "member": (lambda folder: tr.compose("network=moon"), "network: unknown 'moon'"),
    "key": (lambda folder: tr.compose("sed=1"), "sed: unknown key"),
    "configuration": (lambda folder: tr.compose(run=folder), "is no run folder"),
    "code": (lambda folder: tr.compose(extensions=["a b.py"]), "there is no file 'a b.py'"),
    "controller": (
        lambda folder: tr.evaluate(tr.compose(), ["fixd"], folder / "x"),
        r"unknown 'fixd' \(did you mean 'fixed'",
    ),
    "no text": (lambda folder: tr.compose(3), "write each as text.*got 3"),  # type: ignore[arg-type]
    "a list": (lambda folder: tr.compose(["seed=3"]), "write each as text"),  # type: ignore[arg-type]
    "no configuration": (
        lambda folder: tr.train({"a": 1}, folder / "x"),  # type: ignore[arg-type]
        "expected what trafficrl.compose.. gives, got a dict",
    ),
    "assigned": (lambda folder: tr.train(assigned(), folder / "x"), "algorithm.gamma must"),
    "a file": (lambda folder: tr.train(tr.compose(), __file__), "test_api.py cannot be made"),
    "no list": (
        lambda folder: tr.evaluate(tr.compose(), "fixed", folder / "x"),
        r"expected a list, such as \['fixed'\], got 'fixed'",
    ),
    "closed": (lambda folder: closed_env().step([0]), r"reset\(\) comes before step\(\)"),
    "teacher": (lambda folder: tr.collect(tr.compose(), "fixd", folder / "x"), "teacher: unknown"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    call, message = MISTAKES[name]
    before = everything_global()
    with pytest.raises(tr.TrafficRLError, match=message) as told:
        call(tmp_path)
    assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []
    assert everything_global() == before


def test_hydra_of_the_caller_goes_on(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("a: 1\n", encoding="utf-8")
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        assert tr.compose("seed=3").seed == 3
        assert compose("mine").a == 1


def test_another_thread_hears_no_signals_but_the_end_of_its_time() -> None:
    heard: list[Any] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with StopRequest(time_limit_s=0.01) as stop:
            heard.append(signal.getsignal(signal.SIGTERM) is before)
            try:
                while True:
                    stop.check()
            except Stopped as stopped:
                heard.append(str(stopped))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=10)
    assert heard == [True, "time limit"]


def test_the_package_shows_all_of_the_calls() -> None:
    assert sorted({*api.__all__, "TrafficRLError"}) == sorted(tr.__all__)
    assert set(tr.__all__) <= set(dir(tr))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        tr.trian  # type: ignore[attr-defined]  # noqa: B018


def test_a_run_keeps_the_code_and_its_hash(run: tr.Run) -> None:
    kept = run.paths.inputs / "extensions" / "my_features.py"
    assert kept.read_text() == CODE
    resolved = yaml.safe_load(run.paths.resolved_config.read_text())
    assert resolved["extensions"] == ["inputs/extensions/my_features.py"]
    assert resolved["provenance"]["extensions"] == [file_sha256(kept)]
    sidecar = yaml.safe_load(run.paths.final_model.with_suffix(".yaml").read_text())
    assert sidecar["versions"]["extension my_features.py"] == file_sha256(kept)


def test_a_run_folder_alone_lets_nothing_run(run: tr.Run, folder: Path) -> None:
    moved = folder / "moved"
    shutil.copytree(run.folder, moved)
    words = (f"--config-dir={moved}", "--config-name=resolved_config")
    done = forked("train", *words, f"hydra.run.dir={folder / 'refused'}", folder=folder)
    assert done.returncode == 2
    kept = moved / "inputs" / "extensions" / "my_features.py"
    told = f"error: extensions: {kept}: code that the configuration brings and nobody has named: "
    assert told in done.stderr
    assert done.stderr.endswith(f"allow it with extensions=[{kept}]\n")
    assert not (folder / "refused").exists()


@pytest.mark.slow
def test_a_run_is_had_again_from_its_folder_by_naming_its_code(run: tr.Run, folder: Path) -> None:
    words = (f"--config-dir={run.folder}", "--config-name=resolved_config")
    kept = run.paths.inputs / "extensions" / "my_features.py"
    run_command("train", *words, f"hydra.run.dir={folder / 'again'}", f"extensions=[{kept}]")
    again = tr.load_run(folder / "again")
    assert again.paths.metrics.read_bytes() == run.paths.metrics.read_bytes()


def test_what_is_named_is_its_text(run: tr.Run) -> None:
    config = load_experiment(run.paths.resolved_config)
    file = run.paths.inputs / "extensions" / "my_features.py"
    try:
        file.write_text(f"{CODE}\nnamed = True", encoding="utf-8")
        with pytest.raises(ConfigError, match="nobody has named"):
            allowed_extensions(config)
        allow_named(config, ["seed=2", "reward.extensions=1"])
        with pytest.raises(ConfigError, match="nobody has named"):
            tr.make_env(config)
        allow_named(config, ["+extensions=[x.py]"])
        assert [own.file for own in allowed_extensions(config)] == [str(file)]
        file.write_text(f"{CODE}\nnamed = False", encoding="utf-8")
        with pytest.raises(ConfigError, match="nobody has named"):
            allowed_extensions(config)
    finally:
        file.write_text(CODE, encoding="utf-8")


def test_a_model_that_sees_ones_own_needs_its_code(
    run: tr.Run, folder: Path, small: tuple[str, ...]
) -> None:
    message = r"_model\.zip: algorithm\.observation\.phase_features: unknown 'phase_blocked'"
    with pytest.raises(ConfigError, match=message):
        tr.evaluate(tr.compose(*small), ["fixed", run], folder / "without")
