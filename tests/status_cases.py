"""Run folders for tests of what is said about them: real `run.json` files, real processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from trafficrl.runs.record import RunRecord, RunStatus

FACTS = {
    "timesteps": 500,
    "total_timesteps": 2000,
    "steps_per_s": 25.0,
    "eta_s": 60.0,
    "last_score": 31.5,
    "best_score": 30.25,
    "crashes": 1,
    "last_checkpoint": "2026-01-02T03:04:05+00:00",
}
"""What a training writes while it goes on."""
SCRIPT = """
import json, sys, time
from pathlib import Path
from trafficrl.runs.record import RunRecord
RunRecord(Path(sys.argv[1]) / "run.json", **json.loads(sys.argv[2]))
print("begun", flush=True)
time.sleep(60)
"""


@contextmanager
def living_run(folder: Path, **facts: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun a run there, until the block ends."""
    folder.mkdir(parents=True)
    words = [sys.executable, "-c", SCRIPT, str(folder), json.dumps(FACTS | facts)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def ended_run(folder: Path, status: RunStatus, reason: str, **facts: Any) -> Path:
    """A run that came to an end."""
    folder.mkdir(parents=True)
    RunRecord(folder / "run.json", **FACTS | facts).end(status, reason)
    return folder


def change(folder: Path, **facts: Any) -> None:
    """These values stand in the run's account; those that are None are missing there."""
    file = folder / "run.json"
    rows = json.loads(file.read_text()) | facts
    file.write_text(json.dumps({key: value for key, value in rows.items() if value is not None}))


def long_ago(folder: Path, **ago: float) -> None:
    """The run last wrote that much earlier than it did."""
    updated = datetime.fromisoformat(json.loads((folder / "run.json").read_text())["updated"])
    change(folder, updated=(updated - timedelta(**ago)).isoformat())


def many_runs(root: Path, number: int) -> None:
    """As many runs that have ended."""
    text = ""
    for i in range(number):
        folder = root / f"day{i // 100}" / f"run{i}"
        folder.mkdir(parents=True)
        if not text:
            RunRecord(folder / "run.json", **FACTS).end(RunStatus.finished, "all steps done")
            text = (folder / "run.json").read_text()
        (folder / "run.json").write_text(text)
