"""What Hydra refuses is one line that says what to mend, with code 2 and no run left behind."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trafficrl.app.console import run_app
from trafficrl.config.experiment import ExperimentConfig


def succeed(config: ExperimentConfig, folder: Path) -> None:
    """The task of the commands that run in this process."""
    (folder / "done").write_text(str(config.seed), encoding="utf-8")


Here = Callable[..., tuple[int, str]]


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    """Run a command in this process, which is faster: its exit code and its stderr."""
    monkeypatch.chdir(tmp_path)

    def run_here(*args: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["trafficrl-train", *args])
        code = run_app(succeed, ExperimentConfig, config_name="train")
        return code, capsys.readouterr().err

    return run_here


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (
            ["network.grid_dimenson=5"],
            "network.grid_dimenson: unknown key (did you mean 'grid_dimension'?); choices: ",
        ),
        (["network.grid_dimension=abc"], "network.grid_dimension: value 'abc' of type 'str'"),
        (
            ["network=grid9"],
            "network: unknown 'grid9' (did you mean 'grid3'?); choices: grid3, grid6_realistic",
        ),
        (
            ["scenarios=[light,nope]"],
            "scenarios: unknown 'nope'; choices: heavy_load, heavy_realtime_s1, light",
        ),
        (["execution.gui=maybe"], "execution.gui: value 'maybe' is not a valid bool"),
        (["network.attractiveness=all"], "network.attractiveness: invalid value 'all', expected"),
        (["network.x"], "cannot read the override 'network.x' (missing EQUAL at"),
        (["networkk=grid3"], "networkk: unknown key (did you mean 'network'?)"),
        (["network=null"], "Config group override must be a string or a list. Got NoneType; got"),
        (["+scenarios.rush.num_vehicles=5"], "cannot add '+scenarios.rush.num_vehicles=5'; to"),
        (["reward.terms.backlog.weight=1"], "reward.terms.backlog: unknown key; choices"),
        (["seed=-1"], "seed must be in 0..4294967295, got -1"),
        (["--nope"], "unrecognized arguments: --nope; see trafficrl-train --help"),
        (["--cfg", "jobb"], "argument --cfg/-c: invalid choice: 'jobb'"),
        (["--resolve"], "The --resolve flag can only be used in conjunction with --cfg"),
        (["--config-dir", "gone"], "Additional config directory"),
        (["--config-name", "gone"], "Cannot find primary config 'gone'"),
        (["--cfg", "job", "network=grid9"], "network: unknown 'grid9'"),
        (["-m", "network=grid3,grid9"], "network: unknown 'grid9'"),
    ],
)
def test_a_mistake_is_one_line_and_code_2_and_leaves_no_run(
    here: Here, args: list[str], wanted: str
) -> None:
    code, errors = here(*args)
    assert errors.startswith(f"trafficrl-train: error: {wanted}")
    assert errors.count("\n") == 1
    assert code == 2
    assert list(Path().glob("outputs/*/*")) == []


def test_a_multirun_with_a_refused_job_is_code_2(here: Here) -> None:
    code, errors = here("-m", "seed=2,-2")
    assert code == 2
    assert errors.startswith("trafficrl-train: error: job 1 (seed=-2): seed must be in")
    assert [path.parent.name for path in Path().glob("multirun/*/*/*/done")] == ["0"]


def test_a_process_is_left_as_it_was(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    before = (logging.getLogger().handlers[:], logging.getLogger().level)
    assert here("seed=3") == (0, "")
    assert (logging.getLogger().handlers, logging.getLogger().level) == before
    assert os.environ["HYDRA_FULL_ERROR"] == "0"


def test_a_broken_member_is_named_with_its_line(here: Here, tmp_path: Path) -> None:
    (tmp_path / "mine" / "reward").mkdir(parents=True)
    (tmp_path / "mine" / "reward" / "odd.yaml").write_text("terms: [1,\nkind: {", encoding="utf-8")
    code, errors = here("--config-dir", "mine", "reward=odd")
    assert code == 2
    assert "reward/odd.yaml:2:8: " in errors
    assert errors.count("\n") == 1


def test_a_scenario_file_without_schema_is_told_what_is_missing(here: Here, tmp_path: Path) -> None:
    (tmp_path / "mine" / "scenarios").mkdir(parents=True)
    text = "rush:\n  num_vehicles: 5\n"
    (tmp_path / "mine" / "scenarios" / "odd.yaml").write_text(text, encoding="utf-8")
    code, errors = here("--config-dir", "mine", "scenarios=odd")
    assert code == 2
    assert "/schema/scenarios/generated@rush or /schema/scenarios/route_file@rush\n" in errors
    assert errors.count("\n") == 1


def test_a_scenario_file_cannot_change_the_network(here: Here, tmp_path: Path) -> None:
    (tmp_path / "mine" / "scenarios").mkdir(parents=True)
    text = "defaults: [/schema/scenarios/generated@rush, _self_]\nrush: {grid_dimension: 5}\n"
    (tmp_path / "mine" / "scenarios" / "odd.yaml").write_text(text, encoding="utf-8")
    code, errors = here("--config-dir", "mine", "scenarios=odd")
    shared = "all scenarios of a run share the network; set network.grid_dimension"
    assert errors == f"trafficrl-train: error: scenarios.rush.grid_dimension: {shared}\n"
    assert code == 2
