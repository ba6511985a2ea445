"""Where a result comes from: versions of what computed it, and the commit of the code."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

__all__ = ["git_commit", "package_versions"]

PACKAGES = (
    "trafficrl",
    "eclipse-sumo",
    "libsumo",
    "torch",
    "stable-baselines3",
    "gymnasium",
    "numpy",
    "hydra-core",
    "omegaconf",
)
"""The packages whose version can change a result."""


def package_versions() -> dict[str, str]:
    """Version by package, and Python's own."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def git_commit() -> str:
    """Commit of the checkout that this code runs from; `+changes` when files differ from it.

    "unknown" outside a checkout, as in an installed wheel.
    """
    here = Path(__file__).parent
    commit = _git(here, "rev-parse", "HEAD")
    # An installed package may lie in a folder of somebody else's repository: that is not ours.
    tracked = _git(here, "ls-files", "--error-unmatch", Path(__file__).name)
    if not commit or not tracked:
        return "unknown"
    changes = _git(here, "status", "--porcelain", "--untracked-files=no")
    return commit + ("+changes" if changes else "")


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # no git on this machine
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
