"""Dry runs: what a training would take is told, and no run comes of it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from composing import experiment
from run_cases import TRAINING
from traffic_cases import scratch

from trafficrl.app.console import run_app
from trafficrl.app.generate import generate
from trafficrl.app.status import run as status
from trafficrl.app.train import nothing_left, train
from trafficrl.config.experiment import CollectConfig, EvaluateConfig, ExperimentConfig
from trafficrl.errors import ConfigError

DRY = "execution.dry_run=true"
SMALL = (
    *TRAINING,
    "scenarios.morning.num_vehicles=40",
    "execution.end_time=60",
    "evaluation.seeds=2",
    "evaluation.workers=1",
    f"execution.cache_dir={scratch() / 'outputs' / 'cache'}",
)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """`trafficrl-train WORDS` in an empty folder on a machine that has no Slurm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "no_programs"))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["trafficrl-train", *words])
        code = run_app(train, ExperimentConfig, config_name="train", finished=nothing_left)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def files(folder: Path) -> dict[str, bytes | None]:
    """Everything below, with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_sizes_memory_and_time_are_told_and_nothing_stays(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = command(*SMALL, DRY, "hydra.run.dir=r")
    assert (code, err) == (0, "")
    assert files(tmp_path) == {}
    rows = dict(re.findall(r"^  (\w+) +(.+)$", out, re.MULTILINE))
    assert rows["network"].startswith("9 signals, 24 streets, ")
    assert rows["scenarios"] == "morning (40 vehicles), evening (500 vehicles)"
    assert rows["environments"] == "1 in the learner's process; episodes of 60 s, 12 decisions each"
    assert rows["observation"].endswith(" numbers of each of 9 signals, one policy for all of them")
    assert rows["action"] == "the next of 3 to 4 phases for each of 9 signals, every 5 s"
    assert re.fullmatch(r"ppo_shared on cpu, \d{3,} parameters", rows["learner"])
    assert re.fullmatch(
        r"about (\d+ MiB|\d\.\d GiB) in all, where shared pages count once", rows["memory"]
    )
    assert re.fullmatch(r"about .*\ds for 64 steps", rows["time"])
    peaks = r"peaks, with shared pages: learner \d{3,} MiB, 1 x worker of evaluations \d{3,} MiB"
    assert re.search(peaks, out)
    assert "rollouts " in out
    assert ", 2 validations " in out  # at 32 and 64 steps
    assert status([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "0 runs\n"


def test_jobs_are_tried_where_they_would_be_sent_away(command: Command, tmp_path: Path) -> None:
    code, out, err = command(
        *("-m", "hydra/launcher=slurm", "hydra.launcher.mem_gb=0", "batch=light,light"),
        *("algorithm=ppo_shared", "reward=local_queue", *SMALL, DRY, "seed=1,2"),
    )
    assert (code, err) == (0, "")
    assert re.search(r"observation +\d+ numbers of each of 9 signals, one policy for all", out)
    like = "dry run: takes as much as job 0: only its seed or first model is another\n"
    assert out.count(like) == 3
    assert re.search(r"^  launcher +hydra\.launcher\.mem_gb=0 IS TOO LITTLE$", out, re.MULTILINE)
    assert re.search(r"^ +hydra\.launcher\.timeout_min=240 is enough$", out, re.MULTILINE)
    assert files(tmp_path) == {}


def test_a_dry_run_that_cannot_be_leaves_nothing_either(command: Command, tmp_path: Path) -> None:
    code, _, err = command(*SMALL, DRY, "resume_from=nowhere.zip")
    assert code == 1
    assert "nowhere.zip" in err
    assert [name for name in files(tmp_path) if not name.startswith("outputs")] == []
    assert not list(tmp_path.glob("outputs/*"))


def test_an_unknown_model_is_told_before_anything_is_built(
    command: Command, tmp_path: Path
) -> None:
    for words in ((DRY,), ("hydra.run.dir=r",)):
        code, out, err = command(*SMALL, *words, "resume_from=nowhere", "execution.cache_dir=new")
        assert code == 2
        assert "resume_from: unknown 'nowhere'; choices: NAME@TAG, PATH/model.zip, RUN" in err
        assert "network:" not in out
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "r" / "run.json").exists()


def test_a_sweep_that_is_only_tried_leaves_no_folder_of_its_own(
    command: Command, tmp_path: Path
) -> None:
    code, _, _ = command("-m", *SMALL, DRY, "hydra.sweep.dir=s", "resume_from=nowhere", "seed=1,2")
    assert code == 2
    assert files(tmp_path) == {}


def test_what_trains_nothing_has_no_dry_run(tmp_path: Path) -> None:
    wrong = "execution.dry_run=true is for trafficrl-train"
    config = experiment(DRY)
    with pytest.raises(ConfigError, match=wrong):
        generate(config, tmp_path)
    assert list(tmp_path.iterdir()) == []
    values = vars(config)
    with pytest.raises(ConfigError, match=wrong):
        EvaluateConfig(**values)
    with pytest.raises(ConfigError, match=wrong):
        CollectConfig(**values, teacher="fixed")
    CollectConfig(**(values | {"execution": experiment().execution}), teacher="fixed")
