"""Where a result comes from, inside a checkout and outside of any."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from trafficrl.runs.provenance import package_versions

SOURCE = Path(__file__).parents[2] / "trafficrl"
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.org",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.org",
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env=os.environ | GIT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit_seen_by(folder: Path, *, path: str | None = None) -> str:
    """What the copy of the package in that folder calls its commit."""
    code = "from trafficrl.runs.provenance import git_commit; print(git_commit())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(folder)} | ({"PATH": path} if path is not None else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(SOURCE, tmp_path / "trafficrl", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_package_that_can_change_a_result_has_its_version() -> None:
    versions = package_versions()
    assert versions["python"] == sys.version.split()[0]
    assert versions["eclipse-sumo"] == version("eclipse-sumo")
    assert {"torch", "numpy", "libsumo", "trafficrl"} <= set(versions)


def test_outside_a_repository_the_commit_is_unknown(copy: Path) -> None:
    assert commit_seen_by(copy) == "unknown"


def test_in_somebody_elses_repository_the_commit_is_unknown(copy: Path) -> None:
    git(copy, "init", "-q")
    git(copy, "commit", "-q", "--allow-empty", "-m", "theirs")
    assert commit_seen_by(copy) == "unknown"


def test_without_git_the_commit_is_unknown(copy: Path) -> None:
    assert commit_seen_by(copy, path="") == "unknown"


def test_in_its_own_repository_changes_are_told(copy: Path) -> None:
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-q", "-m", "ours")
    commit = git(copy, "rev-parse", "HEAD")
    assert commit_seen_by(copy) == commit
    (copy / "notes.txt").write_text("not tracked")
    assert commit_seen_by(copy) == commit
    (copy / "trafficrl" / "errors.py").write_text("")
    assert commit_seen_by(copy) == f"{commit}+changes"
