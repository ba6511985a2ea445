"""What a run folder says of the job that was submitted for it."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from trafficrl.errors import RunError
from trafficrl.runs.jobs import Job, load_job, save_job
from trafficrl.runs.paths import RunPaths

SUBMITTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def test_a_job_is_read_as_it_was_saved(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "sweep" / "1")
    job = Job(
        cluster="slurm",
        job="12_3",
        submitted=SUBMITTED,
        after=tmp_path / "sweep" / "0",
        overrides=("seed=1", "batch=[a,b]"),
        log=Path("job/12_3.log"),
    )
    save_job(paths, job)
    assert load_job(paths) == job
    assert json.loads(paths.job.read_text()) == {
        "cluster": "slurm",
        "job": "12_3",
        "submitted": "2026-01-02T03:04:05+00:00",
        "after": "../0",
        "overrides": ["seed=1", "batch=[a,b]"],
        "log": "job/12_3.log",
    }
    least = Job(cluster="local", job="7", submitted=SUBMITTED)
    save_job(paths, least)
    assert load_job(paths) == least


def test_a_folder_without_a_job_has_none(tmp_path: Path) -> None:
    assert load_job(RunPaths(tmp_path)) is None
    assert load_job(RunPaths(tmp_path / "nowhere")) is None


def test_the_run_before_is_found_through_links(tmp_path: Path) -> None:
    real = tmp_path / "scratch" / "disk" / "sweep"
    real.mkdir(parents=True)
    (tmp_path / "runs").symlink_to(real)  # as homes of clusters lead to other disks
    paths = RunPaths(tmp_path / "runs" / "1")
    save_job(paths, Job(cluster="slurm", job="12", submitted=SUBMITTED, after=tmp_path / "0"))
    found = load_job(paths)
    assert found is not None
    assert found.after == tmp_path / "0"


def test_a_chain_that_was_moved_finds_its_run_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "scratch" / "disk" / "sweep"
    real.mkdir(parents=True)
    (tmp_path / "runs").symlink_to(real)
    monkeypatch.chdir(tmp_path)
    job = Job(cluster="slurm", job="12", submitted=SUBMITTED, after=Path("runs/0"))
    save_job(RunPaths(Path("runs/1")), job)
    real.rename(tmp_path / "moved")
    found = load_job(RunPaths(tmp_path / "moved" / "1"))
    assert found is not None
    assert found.after == tmp_path / "moved" / "0"


FACTS = {"cluster": "slurm", "job": "12", "submitted": "2026-01-02T03:04:05+00:00"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"cluster": "pbs"}, "cluster is 'pbs'; choices: slurm, local"),
        ({"job": "12,13"}, "job is '12,13', not a number like 12 or 12_3"),
        ({"job": 12}, "job is no text"),
        ({"job": None, "cluster": None}, "without cluster, job"),
        ({"submitted": "2026-01-02T03:04:05"}, "without a time zone"),
        ({"submitted": "soon"}, "Invalid isoformat"),
        ({"after": 3}, "after is no text"),
        ({"overrides": "seed=1"}, "overrides is no list of texts"),
        ({"log": []}, "log is no text"),
    ],
)
def test_a_damaged_job_is_named(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    paths = RunPaths(tmp_path)
    paths.job.write_text(json.dumps(FACTS))
    assert load_job(paths) is not None
    paths.job.write_text(json.dumps(FACTS | changed))
    with pytest.raises(RunError) as caught:
        load_job(paths)
    assert str(caught.value).startswith(f"{paths.job}: damaged: ")
    assert told in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b"[" * 100_000, b'{"cluster": "sl'])
def test_what_is_no_job_is_named(tmp_path: Path, content: bytes) -> None:
    paths = RunPaths(tmp_path)
    paths.job.write_bytes(content)
    with pytest.raises(RunError) as caught:
        load_job(paths)
    assert str(caught.value).startswith(f"{paths.job}: damaged: ")
    assert "\n" not in str(caught.value)


def test_a_job_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    paths.job.mkdir()
    with pytest.raises(RunError, match="cannot be read: Is a directory"):
        load_job(paths)
    with pytest.raises(RunError, match="cannot be written: Is a directory"):
        save_job(paths, Job(cluster="local", job="7", submitted=SUBMITTED))
    assert [file.name for file in tmp_path.iterdir()] == ["job.json"]
