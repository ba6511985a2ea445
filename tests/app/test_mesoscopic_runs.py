"""Trained on SUMO's mesoscopic model, then on the microscopic one, and never mixed up."""

import json
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from traffic_cases import scratch

from trafficrl.app.compare import run as compare
from trafficrl.app.controllers import find_controllers
from trafficrl.app.reopen import reopened
from trafficrl.app.train import train
from trafficrl.config.execution import Simulator
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import load_experiment, to_experiment
from trafficrl.config.store import conf_dir, register_configs
from trafficrl.errors import ConfigError
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import load_sidecar

SMALL = (
    "algorithm=ppo_shared_meso",
    "~scenarios.evening",
    "scenarios.morning.num_vehicles=40",
    "algorithm.n_steps=16",
    "algorithm.batch_size=16",
    "execution.total_timesteps=16",
    "execution.eval_freq=0",
    "execution.single_env=true",
    "execution.trackers=[csv]",
    "execution.end_time=120",
    "evaluation.baselines=[fixed]",
    "evaluation.seeds=2",
    "evaluation.workers=1",
)


def database() -> Path:
    return scratch() / "database"


def learn(name: str, *words: str) -> tuple[RunPaths, str]:
    """The folder of a training, and what it printed."""
    places = (
        f"evaluation.database={database()}",
        f"execution.cache_dir={scratch()}",
        f"execution.models_dir={scratch() / 'models'}",
    )
    printed = StringIO()
    (scratch() / name).mkdir()
    register_configs()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", [*SMALL, *places, *words])
    with redirect_stdout(printed):
        train(to_experiment(cfg, ExperimentConfig), scratch() / name)
    return RunPaths(scratch() / name), printed.getvalue()


@cache
def runs() -> tuple[RunPaths, RunPaths, str, str]:
    """A mesoscopic training, the microscopic one that goes on from it, and what each printed."""
    meso, first = learn("meso", "execution.simulator=meso")
    micro, second = learn("micro", f"resume_from={meso.root}")
    return meso, micro, first, second


def facts(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_a_training_goes_on_in_the_other_model() -> None:
    meso, micro, _, _ = runs()
    assert load_sidecar(meso.final_model).timesteps == 16
    after = load_sidecar(micro.final_model)
    assert after.timesteps == 32
    assert (after.simulator, [one.simulator for one in after.lineage]) == ("micro", ["meso"])


def test_every_result_says_which_model_it_came_from() -> None:
    meso, micro, first, second = runs()
    assert "mesoscopic model" in first
    assert "mesoscopic" not in second
    for paths, name in ((meso, "meso"), (micro, "micro")):
        assert yaml.safe_load(paths.resolved_config.read_text())["execution"]["simulator"] == name
        assert facts(paths.run)["simulator"] == name
        assert facts(paths.evaluation / "results.json")["simulator"] == name
        assert load_sidecar(paths.final_model).simulator == name


def test_the_database_keeps_their_episodes_apart() -> None:
    meso, micro, _, _ = runs()
    groups = EvaluationDatabase(database()).groups()
    (one,), (other,) = (
        [build for build, rows in groups.items() if any(mine(row, paths) for row in rows)]
        for paths in (meso, micro)
    )
    assert one != other
    assert (one.name, other.name) == (f"SUMO {one.sumo}, mesoscopic model", f"SUMO {one.sumo}")
    assert not {r.identity.configuration for r in groups[one]} & {
        r.identity.configuration for r in groups[other]
    }


def mine(row: Any, paths: RunPaths) -> bool:
    return Path(row.identity.run).name == paths.root.name


def test_a_comparison_gives_each_model_a_table_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meso, micro, _, _ = runs()
    assert compare([str(micro.root), str(meso.root), "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "differs from micro in execution.simulator (meso instead of micro)" in printed
    titles = [line for line in printed.splitlines() if "2 test episodes" in line]
    assert ["mesoscopic model" in title for title in titles] == [False, True]
    assert "mesoscopic model --step-length" in (tmp_path / "report.md").read_text()


def test_a_run_does_not_change_its_model_on_the_way() -> None:
    meso, _, _, _ = runs()
    config = load_experiment(meso.resolved_config)
    config.execution.simulator = Simulator.micro
    with pytest.raises(ConfigError, match=r"cannot go on with execution\.simulator.*resume_from"):
        reopened(config, meso, ["execution.simulator=micro"])


def test_delay_based_control_is_refused_before_anything_runs() -> None:
    meso, _, _, _ = runs()
    with pytest.raises(ConfigError, match="its detectors see no vehicles"):
        find_controllers(["fixed", "delay_based"], load_experiment(meso.resolved_config))
