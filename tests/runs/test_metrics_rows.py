"""Rows of `metrics.csv` read while they are written."""

from pathlib import Path

from trafficrl.runs.metrics_rows import MetricsRows


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
