"""What the metrics of a training come to."""

import json
import math
from pathlib import Path

import pytest

from trafficrl.runs.metrics_summary import print_metrics_summary, save_metrics_summary, summarise
from trafficrl.runs.paths import RunPaths


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


def test_what_the_traffic_did_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(0, {"validation/delay_s": 20.0}), (16, {"train/loss": 1.0})]
    print_metrics_summary(summarise([*rows, (32, {"validation/delay_s": 30.0})]))
    printed = capsys.readouterr().out.splitlines()
    (heading,) = (line for line in printed if line.startswith("metric "))
    assert heading.split() == ["metric", "mean", "std", "min", "max", "last", "count"]
    assert printed[-1].split() == ["validation/delay_s", "25", "5", "20", "30", "30", "2"]


def test_without_an_update_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics_summary({})
    assert capsys.readouterr().out == ""
