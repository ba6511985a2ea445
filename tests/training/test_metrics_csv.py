import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3.common.logger import Logger

from trafficrl.errors import RunError
from trafficrl.training.metrics_csv import MetricsCsv

ROWS = (
    {"train/loss": 0.1, "time/fps": 812, "rollout/reward": -3.5},
    {"train/loss": 1 / 3, "validation/score": -70.25},
    {"train/loss": float(np.float32(0.7)), "rollout/reward": 1e-17},
)


def write(file: Path) -> None:
    logger = Logger(folder=None, output_formats=[MetricsCsv(file)])
    for step, row in enumerate(ROWS):
        for name, value in row.items():
            logger.record(name, value)
        logger.dump(step * 32)
    logger.close()


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    write(tmp_path / "metrics.csv")
    return tmp_path / "metrics.csv"


def test_a_column_that_comes_late_is_empty_in_the_rows_before(metrics: Path) -> None:
    rows = read(metrics)
    assert list(rows[0]) == ["timesteps", "rollout/reward", "train/loss", "validation/score"]
    assert [row["timesteps"] for row in rows] == ["0", "32", "64"]
    assert [row["validation/score"] for row in rows] == ["", "-70.25", ""]
    assert [row["rollout/reward"] for row in rows] == ["-3.5", "", "1e-17"]


def test_every_float_comes_back_as_it_was(metrics: Path) -> None:
    assert [float(row["train/loss"]) for row in read(metrics)] == [r["train/loss"] for r in ROWS]


def test_clock_times_stay_out(metrics: Path) -> None:
    assert "time" not in metrics.read_text().replace("timesteps", "")


def test_each_row_is_on_disk_before_the_next_one(tmp_path: Path) -> None:
    writer = MetricsCsv(tmp_path / "metrics.csv")
    for step in range(3):
        writer.write({"loss": float(step)}, {}, step)
        assert len(read(tmp_path / "metrics.csv")) == step + 1


def test_another_process_with_another_hash_seed_writes_the_same_bytes(
    metrics: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    code = "import sys, pathlib, test_metrics_csv as t; t.write(pathlib.Path(sys.argv[1]))"
    environment = os.environ | {
        "PYTHONHASHSEED": "4242",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    subprocess.run([sys.executable, "-c", code, str(other)], env=environment, check=True)
    assert other.read_bytes() == metrics.read_bytes()


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "metrics.csv"
    file.parent.mkdir()
    writer = MetricsCsv(file)
    writer.write({"loss": 1.0}, {}, 0)
    shutil.rmtree(file.parent)
    for row in ({"loss": 2.0}, {"loss": 2.0, "more": 1.0}):  # one more row, and all of them anew
        with pytest.raises(RunError, match=r"metrics\.csv cannot be written: No such file"):
            writer.write(row, {}, 1)
