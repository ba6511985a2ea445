"""A run folder as a training leaves it so far, and a tracker that keeps a ledger."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord, RunStatus
from trafficrl.runs.sidecars import Sidecar, file_sha256, save_sidecar
from trafficrl.runs.trackers.tracker import Ending, TrackedRun

CONFIG = "seed: 3\nexecution:\n  total_timesteps: 48\n  score: delay\n"


def begun_run(folder: Path, *steps: int) -> tuple[RunPaths, RunRecord]:
    """A run that has made its first updates."""
    folder.mkdir(parents=True)
    paths = RunPaths(folder)
    paths.resolved_config.write_text("defaults:\n- _self_\n" + CONFIG)
    write_metrics(paths, *steps)
    return paths, RunRecord(paths.run, timesteps=0)


def write_metrics(paths: RunPaths, *steps: int) -> None:
    """One row for each step; the loss is its negative."""
    with paths.metrics.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["timesteps", "rollout/ep_rew_mean", "train/loss"])
        writer.writerows([step, "" if step == 0 else step / 2, -float(step)] for step in steps)


def finish_run(paths: RunPaths, record: RunRecord, timesteps: int) -> None:
    """What a training leaves at last."""
    save_best_model(paths, b"model", timesteps)
    paths.evaluation.mkdir(exist_ok=True)
    means = {"policy": {"delay_s": 20.5}, "fixed": {"delay_s": 31.0}}
    (paths.evaluation / "results.json").write_text(json.dumps({"means": means}))
    record.update(timesteps=timesteps, verdict="less delay")
    record.end(RunStatus.finished, "all steps done")


def save_best_model(paths: RunPaths, content: bytes, timesteps: int) -> None:
    """A whole file of that content with its sidecar."""
    paths.best_model.write_bytes(content)
    sidecar = Sidecar(
        timesteps=timesteps,
        created="2026-01-01T00:00:00+00:00",
        size_bytes=len(content),
        sha256=file_sha256(paths.best_model),
        score=-20.5,
        config_hash="c" * 64,
        network_hash="n" * 64,
        run=str(paths.root),
        scenarios=("light",),
    )
    save_sidecar(paths.best_model, sidecar)


class Ledger:
    """A tracker that keeps its runs in memory, for all that ask for one."""

    runs: dict[str, list[Any]]
    failures: int
    """So many calls from now on fail."""

    def __init__(self) -> None:
        self._id = ""

    def begin(self, run: TrackedRun, kept_id: str) -> str:
        self._fail()
        self._id = kept_id if kept_id in self.runs else f"run-{len(self.runs)}"
        self.runs.setdefault(self._id, []).append(("begin", run.name, run.group, run.config))
        return self._id

    def where(self) -> str:
        return f"ledger {self._id}"

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._fail()
        self.runs[self._id].append((step, dict(values)))

    def artifact(self, name: str, files: Sequence[Path], metadata: Mapping[str, Any]) -> None:
        self._fail()
        self.runs[self._id].append((name, [file.name for file in files], metadata["score"]))

    def end(self, ending: Ending) -> None:
        self._fail()
        self.runs[self._id].append(ending)

    def _fail(self) -> None:
        if Ledger.failures:
            Ledger.failures -= 1
            raise ConnectionError("the network\nis gone")

    @classmethod
    def steps(cls, run: str = "run-0") -> list[int]:
        """Environment steps that the run was told of."""
        rows = [entry for entry in cls.runs[run] if isinstance(entry, tuple)]
        return [row[0] for row in rows if isinstance(row[0], int)]
