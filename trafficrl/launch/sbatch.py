"""The words for sbatch: what the settings of a launcher mean to submitit and to Slurm."""

import io
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.slurm import slurm

from trafficrl.errors import ConfigError, RunError

__all__ = ["executor", "resources", "script", "submitting"]

SBATCH_ERRORS = (FailedJobError, FailedSubmissionError, subprocess.SubprocessError, OSError)
"""What submitit raises where sbatch has said no, or cannot be called."""
OWN = "sbatch: error: "
NATIVE = {"name": "job_name", "timeout_min": "time", "tasks_per_node": "ntasks_per_node"}
"""Names of settings -> of sbatch, where they are not the same."""
NOT_FOR_SBATCH = (
    "submitit_folder",
    "max_num_timeout",
    "mem_gb",
    "modules",
    "container",
    "container_command",
)
STATES = {"gpus_per_node": "GPUs", "mem_gb": "GB", "cpus_per_task": "processors"}


def resources(params: dict[str, Any], after: str = "") -> dict[str, Any]:
    """A job's resources in the names of sbatch.

    Args:
        params: the settings, in their own names.
        after: the job that must have succeeded before; empty for none.

    Raises:
        ConfigError: a resource that cannot be.
    """
    for name, unit in STATES.items():
        value = params.get(name)
        if value is not None and value < 0:
            raise ConfigError(f"hydra.launcher.{name} must be >= 0 {unit}, got {value}")
    limit_min, warning_s = params["timeout_min"], params["signal_delay_s"]
    if limit_min < 1:
        raise ConfigError(f"hydra.launcher.timeout_min must be >= 1 minute, got {limit_min}")
    if not 0 < warning_s < 60 * limit_min:
        raise ConfigError(
            f"hydra.launcher.signal_delay_s must lie within the {60 * limit_min} s of "
            f"hydra.launcher.timeout_min={limit_min}, got {warning_s} s"
        )
    wanted = {
        NATIVE.get(name, name): value
        for name, value in params.items()
        if name not in NOT_FOR_SBATCH and value is not None
    }
    if params["mem_gb"] is not None:
        wanted["mem"] = f"{params['mem_gb']}GB"
    loads = [f"module load {shlex.quote(name)}" for name in params["modules"]]
    setup = [*loads, *(params.get("setup") or [])]
    if setup:
        wanted["setup"] = setup
    if params.get("cpus_per_task"):
        # Since Slurm 22.05 srun does not take it over from sbatch: the step would have one.
        wanted["srun_args"] = [f"--cpus-per-task={params['cpus_per_task']}"]
    extra = dict(params.get("additional_parameters") or {})
    if after:
        given = extra.get("dependency")
        extra["dependency"] = ",".join(filter(None, [given, f"afterok:{after}"]))
        extra["kill-on-invalid-dep"] = "yes"
    # Without it a cluster that does not requeue by default loses what it preempts.
    extra.setdefault("requeue", True)
    wanted["additional_parameters"] = extra
    return wanted


def python_command(params: dict[str, Any]) -> str:
    """How the job's Python is called, as shell text."""
    if params["container"] is None:
        return shlex.quote(sys.executable)
    return f"{params['container_command']} {shlex.quote(params['container'])} python3"


def executor(params: dict[str, Any]) -> slurm.SlurmExecutor:
    """Submits jobs that go on after a time limit.

    Raises:
        RunError: there is no Slurm on this machine.
    """
    try:
        return slurm.SlurmExecutor(
            params["submitit_folder"],
            max_num_timeout=params["max_num_timeout"],
            python=python_command(params),
        )
    except RuntimeError as error:  # submitit looks for srun
        raise RunError(
            "hydra/launcher=slurm: this machine has no srun, so it is no part of a Slurm cluster; "
            "hydra/launcher=submitit_local runs the same jobs here"
        ) from error


def script(params: dict[str, Any], wanted: dict[str, Any], *, elements: int) -> str:
    """What sbatch gets for one job, or for an array where there are several."""
    count: dict[str, Any] = {"map_count": elements} if elements > 1 else {}
    folder = Path(params["submitit_folder"]).expanduser().absolute()
    command = f"{python_command(params)} -u -m submitit.core._submit {shlex.quote(str(folder))}"
    return slurm._make_sbatch_string(command=command, folder=folder, **wanted, **count)


@contextmanager
def submitting() -> Iterator[None]:
    """What sbatch complains of in the block is told once; submitit prints it as well.

    Raises:
        RunError: sbatch refused, or cannot be called.
    """
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    except SBATCH_ERRORS as error:
        raise RunError(f"sbatch refused the job: {_reason(error)}") from error
    print(said.getvalue(), end="", file=sys.stderr)


def _reason(error: BaseException) -> str:
    """In sbatch's own words."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    own = [line.removeprefix(OWN) for line in lines if line.startswith(OWN)]
    return "; ".join(own or lines) or type(error).__name__
