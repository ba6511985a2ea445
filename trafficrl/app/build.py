"""The composition root: from a checked experiment to objects; only here everything meets."""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from trafficrl.app.consent import allowed_extensions
from trafficrl.app.given_demand import check_given_demand
from trafficrl.app.inputs import keep_inputs, naming_originals
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import save_experiment
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.env.task import Task
from trafficrl.errors import RunError
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.network.build import build_network, save_network
from trafficrl.network.clearance import short_yellows
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.provenance import git_commit, package_versions
from trafficrl.simulation.backend import sumo_version

__all__ = [
    "build_evaluator",
    "build_task",
    "open_run",
    "refuse_used",
    "task_on",
]

log = logging.getLogger(__name__)
E = TypeVar("E", bound=ExperimentConfig)


def refuse_used(paths: RunPaths) -> None:
    """Return when the folder holds no training: its configuration must not be written over.

    Raises:
        RunError: it does.
    """
    if paths.run.exists():
        raise RunError(f"{paths.root} holds a run already: choose another hydra.run.dir")


def open_run(config: E, paths: RunPaths) -> tuple[E, Task]:
    """The run folder holds all that decides the result, and the decision problem is ready.

    The configuration comes back with the files of the run folder and the versions of this run.

    Raises:
        NetworkError: the network cannot be built.
        RunError: a file that the configuration names cannot be copied.
    """
    given, config = config, keep_inputs(config, paths.inputs)
    with naming_originals(given, config):
        task = build_task(config, paths)
    facts = provenance(task)
    warn_of_other_origin(config.provenance, facts)
    config = replace(config, provenance=facts)
    save_experiment(config, paths.resolved_config)
    return config, task


def build_task(config: ExperimentConfig, paths: RunPaths) -> Task:
    """The decision problem of the experiment; its network lies in the run folder.

    Raises:
        NetworkError: the network cannot be built.
        DemandError: a given demand cannot be driven on it.
    """
    start = time.perf_counter()
    cached = build_network(config.network, Path(config.execution.cache_dir))
    network = save_network(cached, paths.network)
    log.info(
        "network: %d signals, %d streets, %d lanes in %.2f s",
        len(network.signals),
        len(network.streets),
        len(network.lanes),
        time.perf_counter() - start,
    )
    return task_on(config, network)


def task_on(config: ExperimentConfig, network: Network) -> Task:
    """The decision problem of the experiment on its network.

    Raises:
        DemandError: a given demand cannot be driven on it.
        ConfigError: code of the user's own that nobody has named.
    """
    warn_of_short_yellow(network)
    task = replace(Task.of(config, network), extensions=allowed_extensions(config))
    for name, scenario in config.scenarios.items():
        if isinstance(scenario, RouteFileScenarioConfig):
            check_given_demand(name, scenario, task)
    return task


def warn_of_short_yellow(network: Network) -> None:
    """Fast roads need more yellow than the configuration may give: say so, and how much."""
    short = short_yellows(network)
    if short:
        log.warning(
            "network.signals.yellow_s %g [s] is short for the speed limits at %d of %d signals "
            "(%s): up to %.1f s are needed, or vehicles will brake hard",
            network.signals[0].yellow_s,
            len(short),
            len(network.signals),
            ", ".join(list(short)[:3]) + (", ..." if len(short) > 3 else ""),
            max(short.values()),
        )


def provenance(task: Task) -> dict[str, Any]:
    """What beside the configuration decides a result."""
    return {
        "sumo": sumo_version(),
        "packages": package_versions(),
        "git_commit": git_commit(),
        "network_hash": task.network.hash,
        **({"extensions": [own.sha256 for own in task.extensions]} if task.extensions else {}),
    }


def warn_of_other_origin(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Say so when a configuration from another run is carried out by other versions."""
    for name, value in before.items():
        if value != now.get(name):
            log.warning(
                "%s differs from the run that this configuration comes from: %s was %s; the "
                "result may differ too",
                name,
                now.get(name),
                value,
            )


def build_evaluator(config: ExperimentConfig, task: Task, paths: RunPaths) -> Evaluator:
    """Worker processes for the episodes of a run, as its configuration has them."""
    return Evaluator(
        task,
        paths.work,
        workers=config.evaluation.workers,
        max_crashes=config.execution.max_crashes,
        hang_timeout_s=config.execution.hang_timeout_s,
    )
