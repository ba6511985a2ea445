"""An evaluation that is asked to stop leaves nothing behind, and goes on with what is missing."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from cut_cases import cut

from trafficrl.runs.stop import STOPPED_EXIT_CODE

CODE = "from trafficrl.app.evaluate import main; main()"
WORDS = (
    "network=grid3",
    "scenarios=light",
    "scenarios.morning.num_vehicles=40",
    "scenarios.evening.num_vehicles=60",
    "controllers=[fixed]",
    "execution.end_time=600",
    "evaluation.workers=1",
)


def begun(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """The command, whose run is in `folder/run`."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *WORDS, "hydra.run.dir=run", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_evaluation_stops_as_a_training_does_and_goes_on(tmp_path: Path) -> None:
    episodes = tmp_path / "outputs" / "evaluations" / "episodes"
    process = begun(tmp_path, "evaluation.seeds=500")
    while not list(episodes.glob("*.parquet")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    code, errors = cut(process, signal.SIGTERM)
    assert code == STOPPED_EXIT_CODE
    assert errors.splitlines()[-1] == (
        "trafficrl-evaluate: stopped (SIGTERM): the same command goes on with "
        f"hydra.run.dir={tmp_path / 'run'}"
    )
    assert "leaked" not in errors
    assert not (tmp_path / "run" / "work").exists()
    again = begun(tmp_path, "evaluation.seeds=1")
    printed, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors
    assert "1 test seed a scenario" in printed
    assert re.search(r"evaluation: [12] of 2 episodes were known", printed + errors)
