"""Weights & Biases. Offline unless WANDB_MODE says otherwise: nothing goes anywhere unasked.

A compute node has no network as a rule, and whoever wants to send what a run does has to say so
once anyhow (`wandb login`). Every variable of wandb's own counts: WANDB_PROJECT, WANDB_DIR, ...
"""

import os
import secrets
import shlex
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from trafficrl.runs.trackers.tracker import Ending, TrackedRun

__all__ = ["WandbTracker"]

UNLESS_SET = {
    "WANDB_MODE": "offline",
    "WANDB_PROJECT": "trafficrl",
    "WANDB_ERROR_REPORTING": "false",  # it would call its maker's server, offline too
    "WANDB_SILENT": "true",
}


class WandbTracker:
    """A run of wandb.

    Its step is the environment step. A part of the run that is recorded offline is a folder of its
    own with the same id, and `wandb sync` joins them in the order of time.
    """

    def begin(self, run: TrackedRun, kept_id: str) -> str:
        """See `Tracker`."""
        place = run.folder / "trackers"
        here = {"WANDB_DIR": place, "WANDB_DATA_DIR": place / "wandb", "WANDB_NAME": run.name}
        for name, value in {**UNLESS_SET, **here}.items():
            os.environ.setdefault(name, str(value))
        if run.group:
            os.environ.setdefault("WANDB_RUN_GROUP", run.group)
        self._wandb = import_module("wandb")
        # Its measurements would be those of the process that tells it, which is not the training.
        settings = self._wandb.Settings(x_disable_stats=True, console="off")
        self._run: Any = self._wandb.init(
            id=kept_id or secrets.token_hex(4), resume="allow", settings=settings
        )
        self._run.config.update(dict(run.config), allow_val_change=True)
        self._run.define_metric("*", step_metric="timesteps")
        return str(self._run.id)

    def where(self) -> str:
        """See `Tracker`."""
        if self._run.settings.mode == "online":
            return str(self._run.url)
        folder = Path(self._run.dir).parent
        return f"{self._run.settings.mode}; to send it: wandb sync {shlex.quote(str(folder))}"

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        self._run.log({"timesteps": step, **values}, step=step, commit=True)

    def artifact(self, name: str, files: Sequence[Path], metadata: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        artifact = self._wandb.Artifact(
            f"{name}-{self._run.id}", type="model", metadata=dict(metadata)
        )
        for file in files:
            artifact.add_file(str(file), skip_cache=True)
        self._run.log_artifact(artifact)

    def end(self, ending: Ending) -> None:
        """See `Tracker`."""
        summary = {f"metrics_summary/{name}": dict(row) for name, row in ending.summary.items()}
        self._run.summary.update(
            {"status": ending.status, **ending.facts, **ending.evaluation, **summary}
        )
        for file in ending.files:
            self._run.save(str(file), base_path=str(file.parent), policy="now")
        if ending.status == "stopped":
            self._run.mark_preempting()  # shown as preempted then, not as failed
        self._run.finish(exit_code=0 if ending.status == "finished" else 1)
