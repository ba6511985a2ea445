"""Going on with a run: the snapshot in its folder decides, and what was changed since is told."""

import logging
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from trafficrl.app.failures import told
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import differences
from trafficrl.config.load import load_experiment
from trafficrl.errors import ConfigError, unknown_name
from trafficrl.files import remove_leftovers
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunStatus, read_record
from trafficrl.runs.registry import ModelRegistry

__all__ = ["check_origin", "clear_leftovers", "is_finished", "reopened"]

log = logging.getLogger(__name__)
DECIDING = frozenset(
    f"execution.{name}"
    for name in ("end_time", "parallel_envs", "single_env", "simulator", "backend", "on_crash")
)
"""What of the execution a training cannot go on without."""


def is_finished(config: ExperimentConfig, paths: RunPaths) -> bool:
    """The folder holds a run of that configuration that has nothing left to do.

    Raises:
        RunError: its `run.json` is damaged.
    """
    if not paths.run.is_file() or read_record(paths.run)["status"] != RunStatus.finished.value:
        return False
    return not differences(load_experiment(paths.resolved_config), config)


def check_origin(config: ExperimentConfig, paths: RunPaths) -> None:
    """Return when `resume_from` is a place or a name: told before a network is built.

    A run with checkpoints does not need it any more. Whether a file is there and whole is told when
    it is read: a run of a chain may have failed to leave it.

    Raises:
        ConfigError: nothing has the name.
        RunError: the named models cannot be read.
    """
    given = config.resume_from
    if given is None or given.endswith(".zip") or Path(given).exists():
        return
    if any(paths.checkpoints.glob("step_*.zip")):
        return
    registry = ModelRegistry(Path(config.execution.models_dir))
    if registry.find(given) is None:
        choices = [*registry.labels(), "PATH/model.zip", "RUN_FOLDER", "NAME@TAG"]
        raise ConfigError(unknown_name("resume_from", given, choices))


def clear_leftovers(paths: RunPaths) -> None:
    """What a process that was killed left behind is gone."""
    shutil.rmtree(paths.work, ignore_errors=True)
    for folder in (paths.root, paths.checkpoints, paths.evaluation, *paths.inputs.glob("*/")):
        remove_leftovers(folder)


def reopened(
    config: ExperimentConfig, paths: RunPaths, overrides: Iterable[str]
) -> ExperimentConfig:
    """The configuration that the run of a folder goes on with; the given one where there is none.

    Args:
        config: as it is composed now.
        paths: of the run.
        overrides: of the command line. Those of `execution` and `evaluation` hold from now on.

    Raises:
        ConfigError: another value that the command line does not name, or that the run cannot
            change any more.
    """
    if not paths.resolved_config.is_file() or _never_began(paths):
        return config
    before = load_experiment(paths.resolved_config)
    changed = differences(before, config)
    named = {word.lstrip("+~").partition("=")[0] for word in overrides}
    unnamed = {key: pair for key, pair in changed.items() if key not in named}
    if unnamed:
        raise ConfigError(
            f"{paths.root} was begun with another configuration: {told(unnamed)}: it goes on "
            f"as it was with --config-dir {paths.root} --config-name resolved_config "
            f"hydra.run.dir={paths.root}; an override that names a key sets it anew, and so does "
            f"anew=['KEY'] of a call"
        )
    fixed = {key: pair for key, pair in changed.items() if not _may_change(key)}
    if fixed:
        raise ConfigError(
            f"{paths.root} cannot go on with {told(fixed)}: begin another run with "
            f"resume_from={paths.root}"
        )
    for key, (old, new) in changed.items():
        log.warning("%s: from now on %s, before %s", key, new, old)
    # What differs and was refused by neither check lies in these two.
    return replace(before, execution=config.execution, evaluation=config.evaluation)


def _never_began(paths: RunPaths) -> bool:
    """The run failed before it had learned anything: what was wrong may be put right."""
    failed = read_record(paths.run)["status"] == RunStatus.failed.value
    return failed and not any(paths.checkpoints.glob("step_*"))


def _may_change(key: str) -> bool:
    return key.startswith(("execution.", "evaluation.")) and key not in DECIDING
