"""Model files with sidecars, and whole run folders, for the tests of registry and archives."""

import json
from pathlib import Path
from typing import Any

from trafficrl.runs.paths import RunPaths
from trafficrl.runs.sidecars import Ancestor, Sidecar, file_sha256, save_sidecar

FACTS: dict[str, Any] = {
    "timesteps": 128,
    "created": "2026-01-02T03:04:05+00:00",
    "score": -31.25,
    "best_score": -30.5,
    "config_hash": "c" * 64,
    "network_hash": "d" * 64,
    "run": "outputs/run",
    "scenarios": ("morning", "evening"),
    "lineage": (
        Ancestor("outputs/first", 32, ("night",), "a" * 64),
        Ancestor("outputs/second", 64, ("noon", "night"), "b" * 64),
    ),
    "versions": {"sumo": "1.28.0"},
}


def add_sidecar(model: Path, **changes: Any) -> Path:
    """The model file has a sidecar that fits."""
    size_bytes, sha256 = model.stat().st_size, file_sha256(model)
    save_sidecar(model, Sidecar(size_bytes=size_bytes, sha256=sha256, **(FACTS | changes)))
    return model


def model_file(file: Path, content: bytes = b"weights" * 1000, **changes: Any) -> Path:
    """A file that a registry takes for a model: it never looks inside."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return add_sidecar(file, **changes)


def run_folder(root: Path) -> RunPaths:
    """A run of the right shape, with all that a training leaves beside its models."""
    paths = RunPaths(root)
    for steps in (64, 128):
        model_file(paths.checkpoint(steps), b"step %d" % steps * 500, timesteps=steps)
    model_file(paths.best_model, b"best" * 500)
    model_file(paths.final_model, b"final" * 500)
    paths.resolved_config.write_text("seed: 1\n")
    paths.run.write_text(json.dumps({"status": "finished", "timesteps": 128}))
    paths.metrics.write_text("timesteps\n64\n128\n")
    paths.evaluation.mkdir()
    (paths.evaluation / "results.json").write_text("{}")
    return paths


def tree(folder: Path) -> dict[str, bytes]:
    """Path below the folder -> content; folders end with a slash and links are named."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[f"{name} -> {path.readlink()}"] = b""
        elif path.is_dir():
            found[f"{name}/"] = b""
        else:
            found[name] = path.read_bytes()
    return found
