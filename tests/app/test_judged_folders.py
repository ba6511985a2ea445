"""What an evaluation leaves is its own, and says whose each row is."""

import json
import shutil
from pathlib import Path

from run_cases import SCENARIOS, ended, judged, trained


def test_results_of_before_never_lie_beside_another_configuration(tmp_path: Path) -> None:
    run = Path(shutil.copytree(judged(), tmp_path / "run"))
    (tmp_path / "bad.zip").write_bytes(b"no model")
    words = ("network.signals.yellow_s=4", "controllers=[bad.zip]", f"hydra.run.dir={run}")
    done = ended("evaluate", *SCENARIOS, *words, folder=tmp_path)
    assert done.returncode == 1
    assert "yellow_s: 4.0" in (run / "resolved_config.yaml").read_text()
    assert list((run / "evaluation").iterdir()) == []
    told = ended("compare", str(run), folder=tmp_path)
    assert (told.returncode, told.stdout) == (1, "")
    assert "results.json" in told.stderr


def test_a_model_never_goes_by_the_name_of_a_classical_controller(tmp_path: Path) -> None:
    shutil.copy(trained() / "best_model.zip", tmp_path / "fixed.zip")
    shutil.copy(trained() / "best_model.yaml", tmp_path / "fixed.yaml")
    words = ("controllers=[fixed,fixed.zip]", "network.block_size_m=210", "evaluation.database=")
    done = ended("evaluate", *SCENARIOS, *words, "hydra.run.dir=run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "run" / "evaluation" / "results.json").read_text())
    assert set(results["means"]) == {"fixed", "fixed.zip"}
    log = (tmp_path / "run" / "evaluate.log").read_text()
    told = "fixed.zip learned on another network than this one, on morning, evening"
    assert told in log
