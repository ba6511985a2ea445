"""MLflow: where MLFLOW_TRACKING_URI says, else in files below the run folder.

Files, for they need nothing but the slim package and no lock of a file system, as a database would.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from trafficrl.runs.trackers.tracker import Ending, TrackedRun

__all__ = ["MlflowTracker"]

UNLESS_SET = {
    # It is tried again anyhow, and a warning is not to wait for minutes of silent attempts.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # it would call its maker's server
    "MLFLOW_ALLOW_FILE_STORE": "true",  # newer releases ask whether files are meant
}
STATUSES = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED", "killed": "KILLED"}
MOST_PARAMS, LONGEST_PARAM = 100, 6000
"""What MLflow takes at once, and of one value."""


class MlflowTracker:
    """A run of MLflow, in the experiment MLFLOW_EXPERIMENT_NAME (`trafficrl` unless set)."""

    def __init__(self) -> None:
        self._id = ""

    def begin(self, run: TrackedRun, kept_id: str) -> str:
        """See `Tracker`."""
        for name, value in UNLESS_SET.items():
            os.environ.setdefault(name, value)
        here = (run.folder / "trackers" / "mlflow").as_uri()
        self._uri = os.environ.get("MLFLOW_TRACKING_URI") or here
        self._mlflow = import_module("mlflow")
        self._client: Any = self._mlflow.MlflowClient(tracking_uri=self._uri)
        known = self._known(self._id or kept_id)
        self._boundary = known is not None
        if known is None:
            tags = {"mlflow.source.name": "trafficrl", "folder": str(run.folder)}
            if run.group:
                tags["group"] = run.group
            known = self._client.create_run(self._experiment(), run_name=run.name, tags=tags)
        self._id = str(known.info.run_id)
        self._client.update_run(self._id, status="RUNNING")
        # A parameter cannot be changed: what a run goes on with otherwise stands in the file.
        params = {name: value for name, value in _flat(run.config) if name not in known.data.params}
        entities, names = self._mlflow.entities, list(params)
        for first in range(0, len(names), MOST_PARAMS):
            some = [entities.Param(name, params[name]) for name in names[first:][:MOST_PARAMS]]
            self._client.log_batch(self._id, params=some)
        self._client.log_artifact(self._id, str(run.folder / "resolved_config.yaml"))
        return self._id

    def where(self) -> str:
        """See `Tracker`."""
        return f"run {self._id} in {self._uri}"

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        values = {"timesteps": step, **values}
        if self._boundary:  # a process that died may have told a part of this very row
            told = {
                name
                for name in values
                if any(one.step == step for one in self._client.get_metric_history(self._id, name))
            }
            values = {name: value for name, value in values.items() if name not in told}
        self._log(step, values)
        self._boundary = False

    def artifact(self, name: str, files: Sequence[Path], metadata: Mapping[str, Any]) -> None:
        """See `Tracker`."""
        for file in files:
            self._client.log_artifact(self._id, str(file), name)
        for key, value in metadata.items():
            if isinstance(value, str | int | float):
                self._client.set_tag(self._id, f"{name}.{key}", str(value))

    def end(self, ending: Ending) -> None:
        """See `Tracker`."""
        for name, text in {"status": ending.status, **ending.facts}.items():
            self._client.set_tag(self._id, name, text)
        for file in ending.files:
            self._client.log_artifact(self._id, str(file))
        self._log(ending.timesteps, ending.evaluation)
        self._client.set_terminated(self._id, STATUSES[ending.status])

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        now_ms = int(time.time() * 1000)
        metric = self._mlflow.entities.Metric
        rows = [metric(name, float(value), now_ms, step) for name, value in values.items()]
        if rows:
            self._client.log_batch(self._id, metrics=rows)

    def _known(self, run_id: str) -> Any:
        """The run of that id; None where the store has none."""
        try:
            return self._client.get_run(run_id) if run_id else None
        except self._mlflow.MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "trafficrl"
        found = self._client.get_experiment_by_name(name)
        try:
            return str(found.experiment_id if found else self._client.create_experiment(name))
        except self._mlflow.MlflowException:
            found = self._client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)  # another job of the sweep has made it meanwhile


def _flat(config: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{where}{name}.")
        else:
            yield f"{where}{name}", str(value)[:LONGEST_PARAM]
