"""What wandb and MLflow themselves keep of a real training, read back from their own files."""

import json
import shutil
import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from cut_cases import assert_equal_runs, cut, finish, start, wait_for_checkpoint
from run_cases import trained

from trafficrl.runs.metrics_rows import MetricsRows
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunStatus
from trafficrl.runs.trackers.tracking import Tracking

BLOCK_BYTES = 32768
"""wandb keeps its records in a log of such blocks."""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def told(paths: RunPaths, tracker: str, *, goes_on: bool) -> None:
    """A tracker has heard all that is there of the run."""
    with Tracking(paths) as tracking:
        tracking.begin([tracker], config_hash="c", goes_on=goes_on)


def cut_and_finished(folder: Path, tracker: str) -> RunPaths:
    """A finished training, told of when it was killed amid its way, and at its end."""
    shutil.copytree(trained(), folder)
    paths = RunPaths(folder)
    metrics, record = paths.metrics.read_text(), json.loads(paths.run.read_text())
    paths.metrics.write_text("".join(metrics.splitlines(keepends=True)[:-2]))
    paths.run.write_text(json.dumps(record | {"status": RunStatus.running.value}))
    told(paths, tracker, goes_on=False)
    paths.metrics.write_text(metrics)
    paths.run.write_text(json.dumps(record))
    told(paths, tracker, goes_on=True)
    return paths


def wandb_records(paths: RunPaths) -> Iterator[Any]:
    """All that was recorded of the run, in the order of time."""
    format = import_module("wandb.proto.wandb_internal_pb2")
    for file in sorted(paths.trackers.glob("wandb/offline-run-*/*.wandb")):
        log, at, whole = file.read_bytes(), 7, b""
        while at + 7 <= len(log):
            left = BLOCK_BYTES - at % BLOCK_BYTES
            if left < 7:
                at += left
                continue
            size, kind = int.from_bytes(log[at + 4 : at + 6], "little"), log[at + 6]
            whole += log[at + 7 : at + 7 + size]
            at += 7 + size
            if kind in (1, 4):  # full, or last part
                record = format.Record()
                record.ParseFromString(whole)
                yield record
                whole = b""


def named(items: Any) -> dict[str, Any]:
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


def test_wandb_has_one_run_with_every_step_once(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    paths = cut_and_finished(tmp_path / "run", "wandb")
    records = list(wandb_records(paths))
    assert len({one.run.run_id for one in records if one.HasField("run")}) == 1
    rows = [named(one.history.item) for one in records if one.HasField("history")]
    found = [(int(row["_step"]), {name: row[name] for name in row if "/" in name}) for row in rows]
    assert found == MetricsRows(paths.metrics).new()
    assert [row["timesteps"] for row in rows] == [step for step, _ in found]
    config = named(next(one.config.update for one in records if len(one.config.update) > 1))
    expected = yaml.safe_load(paths.resolved_config.read_text())
    assert {name: config[name] for name in expected if name != "defaults"} == {
        name: value for name, value in expected.items() if name != "defaults"
    }
    (artifact,) = [one.artifact for one in records if one.HasField("artifact")]
    sidecar = yaml.safe_load(paths.best_model.with_suffix(".yaml").read_text())
    assert json.loads(artifact.metadata)["sha256"] == sidecar["sha256"]
    files = {entry.path: Path(entry.local_path) for entry in artifact.manifest.contents}
    assert files["best_model.zip"].read_bytes() == paths.best_model.read_bytes()
    summary: dict[str, Any] = {}
    for one in records:
        if one.HasField("summary"):
            summary |= named(one.summary.update)
    means = json.loads((paths.evaluation / "results.json").read_text())["means"]
    assert summary["status"] == "finished"
    assert summary["evaluation/policy/delay_s"] == means["policy"]["delay_s"]
    loss = json.loads(paths.metrics_summary.read_text())["train/loss"]
    assert summary["metrics_summary/train/loss"] == loss
    assert [one.exit.exit_code for one in records if one.HasField("exit")] == [1, 0]


def test_mlflow_has_one_run_with_every_step_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    paths = cut_and_finished(tmp_path / "run", "mlflow")
    client = mlflow.MlflowClient(tracking_uri=(paths.trackers / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("trafficrl")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    for name in ("timesteps", "train/loss", "validation/delay_s"):
        expected = [
            (step, {"timesteps": step, **row}[name])
            for step, row in MetricsRows(paths.metrics).new()
            if name in row or name == "timesteps"
        ]
        history = client.get_metric_history(run.info.run_id, name)
        assert [(one.step, one.value) for one in history] == expected
    assert run.data.params["algorithm.n_steps"] == "16"
    assert run.data.params["execution.total_timesteps"] == "64"
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert (kept / "best_model/best_model.zip").read_bytes() == paths.best_model.read_bytes()
    for file in (paths.resolved_config, paths.metrics_summary, paths.evaluation / "results.json"):
        assert (kept / file.name).read_bytes() == file.read_bytes()
    sidecar = yaml.safe_load(paths.best_model.with_suffix(".yaml").read_text())
    assert run.data.tags["best_model.sha256"] == sidecar["sha256"]
    means = json.loads((paths.evaluation / "results.json").read_text())["means"]
    assert run.data.metrics["evaluation/policy/delay_s"] == means["policy"]["delay_s"]


@pytest.mark.slow
def test_a_training_with_trackers_that_is_killed_ends_as_one_without(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    pytest.importorskip("mlflow")
    plain = finish(tmp_path / "plain")
    folder, both = tmp_path / "cut", "execution.trackers=[wandb,mlflow]"
    process = start(folder, both)
    wait_for_checkpoint(folder, 40, process)
    cut(process, signal.SIGKILL)
    paths = finish(folder, both)
    assert_equal_runs(paths, plain)
    assert paths.metrics_summary.read_bytes() == plain.metrics_summary.read_bytes()
    rows = [one.history for one in wandb_records(paths) if one.HasField("history")]
    steps = [step for step, _ in MetricsRows(paths.metrics).new()]
    assert [int(named(row.item)["_step"]) for row in rows] == steps
