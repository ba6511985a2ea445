"""A training whose verdict could not be kept says so before it learns anything."""

from pathlib import Path

from run_cases import SCENARIOS, TRAINING, ended


def test_a_database_that_cannot_be_written_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = ("hydra.run.dir=run", "evaluation.database=file/base")
    done = ended("train", *SCENARIOS, *TRAINING, *words, folder=tmp_path)
    assert done.returncode == 1
    told = "trafficrl-train: error: file/base/episodes cannot be written: Not a directory"
    assert done.stderr.splitlines()[-1] == told
    assert not (tmp_path / "run" / "metrics.csv").exists()
