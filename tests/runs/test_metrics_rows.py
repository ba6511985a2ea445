"""Rows of `metrics.csv` read while they are written, and what they come to."""

import json
import math
from pathlib import Path

import pytest

from trafficrl.runs.metrics_rows import MetricsRows, save_metrics_summary, summarise
from trafficrl.runs.paths import RunPaths


def test_each_row_is_read_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    rows = MetricsRows(file)
    assert rows.new() == []
    file.write_bytes(b"timesteps,a\r\n0,\r\n16,1.5\r\n32,2")
    assert rows.new() == [(0, {}), (16, {"a": 1.5})]
    assert rows.new() == []
    with file.open("ab") as stream:
        stream.write(b".25\r\n48,3\r\n")
    assert rows.new() == [(32, {"a": 2.25}), (48, {"a": 3.0})]


def test_a_new_column_shows_all_rows_again(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text("timesteps,a\n0,1\n")
    rows = MetricsRows(file)
    rows.new()
    file.write_text("timesteps,a,b\n0,1,\n16,2,5\n")
    assert rows.new() == [(0, {"a": 1.0}), (16, {"a": 2.0, "b": 5.0})]


def test_a_shorter_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_text("timesteps,a\n0,1\n16,2\n")
    rows = MetricsRows(file)
    rows.new()
    file.write_text("timesteps,a\n0,1\n")
    assert rows.new() == [(0, {"a": 1.0})]


def test_the_summary_holds_what_each_metric_came_to() -> None:
    found = summarise([(0, {"b": 2.0}), (16, {"a": 1.0, "b": math.nan}), (32, {"b": 8.0})])
    assert found == {
        "a": {"mean": 1.0, "std": 0.0, "min": 1.0, "max": 1.0, "last": 1.0, "count": 1},
        "b": {"mean": 5.0, "std": 3.0, "min": 2.0, "max": 8.0, "last": 8.0, "count": 2},
    }


def test_a_metric_that_never_was_a_number_has_no_statistics(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    paths.metrics.write_text("timesteps,validation/score\n0,nan\n16,-inf\n")
    save_metrics_summary(paths)
    assert json.loads(paths.metrics_summary.read_text()) == {
        "validation/score": {
            **dict.fromkeys(("mean", "std", "min", "max", "last")),
            "count": 0,
        }
    }


@pytest.mark.parametrize("text", ["", "timesteps,a\n"])
def test_without_a_row_there_is_no_summary(text: str, tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    if text:
        paths.metrics.write_text(text)
    assert save_metrics_summary(paths) == {}
    assert not paths.metrics_summary.exists()
