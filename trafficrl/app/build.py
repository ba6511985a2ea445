"""The composition root: from a checked experiment to objects; only here everything meets."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from trafficrl.app.consent import allowed_extensions
from trafficrl.app.given_demand import check_given_demand
from trafficrl.app.inputs import keep_inputs, naming_originals
from trafficrl.config.execution import Score, Simulator
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.load import save_experiment
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.env.task import Task
from trafficrl.errors import RunError
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.evaluator import Evaluator, Recording
from trafficrl.evaluation.outcome import Measure
from trafficrl.evaluation.results import Comparison
from trafficrl.network.build import build_network, save_network
from trafficrl.network.clearance import short_yellows
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.provenance import git_commit, package_versions
from trafficrl.runs.seeding import Split
from trafficrl.simulation.backend import sumo_version
from trafficrl.training.best import Validation

__all__ = [
    "build_evaluator",
    "build_task",
    "build_validation",
    "judge",
    "judged_on",
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


def build_validation(
    config: ExperimentConfig, evaluator: Evaluator
) -> Callable[[Path], Validation] | None:
    """Judges a model file on the validation demand; None where the experiment wants none."""
    if not config.execution.eval_freq:
        return None

    def validate(model: Path) -> Validation:
        results = evaluator.run(
            {"policy": str(model)}, split=Split.validation, seeds=config.execution.validation_seeds
        )
        rewards = [result.reward for result in results if result.reward is not None]
        reward = mean(rewards)
        delay_s = mean([result.metrics.delay_s for result in results])
        arrived = sum(result.metrics.arrived for result in results)
        scheduled = sum(result.metrics.scheduled for result in results)
        score = -delay_s if config.execution.score is Score.delay else reward
        return Validation(
            score, {"delay_s": delay_s, "reward": reward, "arrived_share": arrived / scheduled}
        )

    return validate


def judge(
    config: ExperimentConfig,
    evaluator: Evaluator,
    controllers: dict[str, str],
    paths: RunPaths,
    *,
    report: Callable[[int], None] = lambda done: None,
) -> Comparison:
    """All controllers on the same unseen test demand, the first being the baseline.

    These episodes alone go to the database. Validation chooses between models that are gone
    afterwards, on demand that the one that stays was chosen by: nobody should compare with it.

    Args:
        config: the experiment.
        evaluator: runs the episodes.
        controllers: label in tables -> controller's name or model file.
        paths: of the run that asks.
        report: called with the number of episodes that are done.

    Raises:
        RunError: the database cannot be read or written.
    """
    chosen = config.evaluation
    recording = None
    if chosen.database:
        database = EvaluationDatabase(Path(chosen.database))
        recording = Recording(database, run=paths.root, reuse=chosen.reuse)
    total = len(controllers) * len(config.scenarios) * chosen.seeds
    with ProgressReport("evaluation", total=total, unit="episodes") as progress:

        def tell(done: int) -> None:
            progress.advance_to(done)
            report(done)

        results = evaluator.run(
            controllers,
            split=Split.test,
            seeds=chosen.seeds,
            measure=Measure(emissions=chosen.emissions, slice_s=chosen.slice_s),
            recording=recording,
            report=tell,
        )
    return Comparison(results, confidence=chosen.confidence)


def judged_on(config: ExperimentConfig) -> str:
    """Title of the judgement: which demand it was made on, and in which model if not the usual."""
    count = config.evaluation.seeds
    several = len(config.scenarios) > 1
    where = "a scenario" if several else f"of {next(iter(config.scenarios))}"
    seeds = f"{count} test seed{'s' if count > 1 else ''} {where}"
    if config.execution.simulator is Simulator.meso:
        seeds += ", mesoscopic model"
    given = [isinstance(item, RouteFileScenarioConfig) for item in config.scenarios.values()]
    if all(given):
        return f"{seeds}: the given trips, other drivers"
    also = ", given files: other drivers only" if any(given) else ""
    return f"Unseen demand: {seeds}{also}"


def mean(values: list[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)
