"""Commands in this process, for what they say before any job begins."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from trafficrl.app.console import run_app
from trafficrl.app.evaluate import evaluate
from trafficrl.app.train import nothing_left, train
from trafficrl.config.experiment import EvaluateConfig, ExperimentConfig

DRY = ("hydra/launcher=slurm", "hydra.launcher.dry_run=true")


@dataclass(frozen=True)
class Said:
    """By the command, and its exit code."""

    code: int
    out: str
    errors: str

    @property
    def jobs(self) -> list[str]:
        """`FOLDER: OVERRIDES` of the jobs that a dry run would submit, in their order."""
        return [line[2:] for line in self.out.splitlines() if line.startswith("# multirun/")]


Command = Callable[..., Said]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """It is called in an empty folder on a machine that has no Slurm: `trafficrl-NAME WORDS`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "no_programs"))

    def call(*words: str, name: str = "train") -> Said:
        monkeypatch.setattr("sys.argv", [f"trafficrl-{name}", *words])
        if name == "train":
            code = run_app(train, ExperimentConfig, config_name=name, finished=nothing_left)
        else:
            code = run_app(evaluate, EvaluateConfig, config_name=name)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
