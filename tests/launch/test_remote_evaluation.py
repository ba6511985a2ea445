"""Evaluations that are sent away judge a run by its best model, and stand in one table later."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from run_cases import SCENARIOS, trained

from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.runs.run_models import best_model

CODE = "from trafficrl.app.evaluate import main; main()"


@pytest.mark.slow  # three processes that import torch
def test_a_run_is_judged_in_jobs_and_joined_by_compare(tmp_path: Path) -> None:
    words = (
        *("-m", "hydra/launcher=submitit_local", "hydra.sweep.dir=multirun/judged", *SCENARIOS),
        f"controllers=[fixed,{trained()}],[fixed,max_pressure]",
    )
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    jobs = [tmp_path / "multirun" / "judged" / str(number) for number in range(2)]
    own = json.loads((trained() / "evaluation" / "results.json").read_text())
    found = [json.loads((job / "evaluation" / "results.json").read_text()) for job in jobs]
    assert [list(one["means"]) for one in found] == [
        ["fixed", "trained"],
        ["fixed", "max_pressure"],
    ]
    assert found[0]["means"]["trained"]["delay_s"] == own["means"]["policy"]["delay_s"]
    recorded = EvaluationDatabase(tmp_path / "outputs" / "evaluations").episodes()
    models = {one.identity.checkpoint for one in recorded if one.identity.kind == "model"}
    assert models == {str(best_model(trained()).resolve())}
    compare = (sys.executable, "-c", "from trafficrl.app.compare import main; main()")
    joined = subprocess.run(
        [*compare, *map(str, jobs)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for name in ("fixed", "max_pressure", "trained"):
        assert joined.stdout.count(f"\n{name} ") == 3, "two scenarios, and both together"
