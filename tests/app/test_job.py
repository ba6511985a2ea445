"""A command as a job: what it is given is kept, and how it ends is told."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from trafficrl.app.job import Job
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.store import conf_dir, register_configs
from trafficrl.errors import ConfigError, SimulationError
from trafficrl.runs.paths import RunPaths

SEEDS: list[int] = []
"""Of the experiments that the command was given."""


def command(config: ExperimentConfig, folder: Path) -> None:
    SEEDS.append(config.seed)
    if config.seed == 13:
        raise SimulationError("SUMO died")


@pytest.fixture(autouse=True)
def hydra() -> Iterator[None]:
    register_configs()
    SEEDS.clear()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield
    HydraConfig.instance().cfg = None


def composed(folder: Path, *overrides: str) -> DictConfig:
    """As Hydra hands it to the command for the run of that folder."""
    cfg = compose("train", list(overrides), return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(folder)
        HydraConfig.instance().set_config(cfg)
        cfg = cfg.copy()
        del cfg["hydra"]
    return cfg


def elsewhere(job: Job[ExperimentConfig]) -> Job[ExperimentConfig]:
    """The same job in a process that a launcher has started."""
    job._process = os.getpid() + 1
    return job


def test_here_a_failure_is_kept_so_that_other_jobs_go_on(tmp_path: Path) -> None:
    job = Job(command, ExperimentConfig)
    job(composed(tmp_path, "seed=13"))
    job(composed(tmp_path, "seed=2"))
    assert SEEDS == [13, 2]
    assert [str(failure.error) for failure in job.failures] == ["SUMO died"]


def test_sent_away_a_failure_is_the_failure_of_its_process(tmp_path: Path) -> None:
    job = Job(command, ExperimentConfig)
    job.keep(job.checked(composed(tmp_path, "seed=13")), tmp_path)
    with pytest.raises(SimulationError):
        elsewhere(job)(composed(tmp_path, "seed=13"))


def test_sent_away_it_does_what_it_was_submitted_with_and_names_what_was_edited(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = Job(command, ExperimentConfig)
    job.keep(job.checked(composed(tmp_path, "seed=2")), tmp_path)
    edited = composed(tmp_path, "seed=3", "evaluation.seeds=4")
    told = "evaluation.seeds was 10, is 4; seed was 2, is 3"
    assert job.kept_otherwise(job.checked(edited), tmp_path) == told
    with caplog.at_level(logging.WARNING):
        elsewhere(job)(edited)
        elsewhere(job)(composed(tmp_path, "seed=2"))
    assert SEEDS == [2, 2]
    file = RunPaths(tmp_path).submitted_config
    said = f"{file} counts; edited since the job was submitted: {told}"
    assert [record.getMessage() for record in caplog.records] == [said]
    assert job.kept_otherwise(job.checked(composed(tmp_path, "seed=2")), tmp_path) == ""


def test_a_configuration_that_cannot_be_leaves_no_folder_but_one_that_was_in_use(
    tmp_path: Path,
) -> None:
    job = Job(command, ExperimentConfig)
    empty, used = tmp_path / "empty", tmp_path / "used"
    for folder in (empty, used):
        folder.mkdir()
    (used / "notes.txt").touch()
    for folder in (empty, used):
        job(composed(folder, "evaluation.seeds=0"))
    assert [type(failure.error) for failure in job.failures] == [ConfigError, ConfigError]
    assert (empty.exists(), used.exists(), SEEDS) == (False, True, [])


def test_it_knows_what_is_left_to_do_only_where_the_command_can_tell(tmp_path: Path) -> None:
    asked = []

    def finished(config: ExperimentConfig, folder: Path, overrides: object) -> bool:
        asked.append((config.seed, folder, overrides))
        return True

    again = Job(command, ExperimentConfig)
    assert not again.nothing_left(again.checked(composed(tmp_path)), tmp_path, [])
    job = Job(command, ExperimentConfig, finished)
    assert job.nothing_left(job.checked(composed(tmp_path, "seed=4")), tmp_path, ["seed=4"])
    assert asked == [(4, tmp_path, ["seed=4"])]
