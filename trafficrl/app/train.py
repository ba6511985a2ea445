"""trafficrl-train: builds what the configuration says, trains, and judges what was learned."""

import logging
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from trafficrl.app.build import build_evaluator, open_run
from trafficrl.app.console import run_app
from trafficrl.app.controllers import find_controllers
from trafficrl.app.demonstrating import find_teacher
from trafficrl.app.judging import judge, judged_on
from trafficrl.app.reopen import check_origin, clear_leftovers, is_finished, reopened
from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.identity import config_hash
from trafficrl.errors import RunError
from trafficrl.evaluation.database import EvaluationDatabase
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.evaluation.queues import save_queues
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.tables import print_comparison
from trafficrl.runs.lock import RunLock
from trafficrl.runs.metrics_summary import print_metrics_summary, save_metrics_summary
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord, RunStatus
from trafficrl.runs.stop import Stopped, StopRequest
from trafficrl.runs.trackers.installed import check_installed
from trafficrl.runs.trackers.tracking import Tracking

__all__ = ["main", "train"]

log = logging.getLogger(__name__)


def train(config: ExperimentConfig, folder: Path, overrides: Sequence[str] | None = None) -> None:
    """The run folder holds a trained model and what it is worth.

    A run that was cut goes on where its newest whole checkpoint was; so does a finished one that is
    to learn longer or to be judged otherwise. Else it is left alone.

    Args:
        config: the experiment.
        folder: of the run.
        overrides: that name what a run may go on with otherwise; None for the command line's.

    Raises:
        ConfigError: the folder holds a run of another configuration.
        RunError: another process works in the folder.
        Stopped: the run was asked to stop; the same command goes on.
        TrafficRLError: whatever the run could not do; `run.json` says failed then.
    """
    refuse_what_is_missing(config)
    if config.execution.dry_run:
        try_out(config, folder, command_line() if overrides is None else overrides)
        return
    paths = RunPaths(folder)
    with (
        RunLock(paths.lock),
        StopRequest(time_limit_s=config.execution.time_limit_s) as stop,
        Tracking(paths) as tracking,
    ):
        config = reopened(config, paths, command_line() if overrides is None else overrides)
        if is_finished(config, paths):
            log.info("%s: this run is finished: nothing is left to do", paths.root)
            return
        check_origin(config, paths)
        clear_leftovers(paths)
        record = RunRecord(paths.run, timesteps=0)
        record.update(total_timesteps=config.execution.total_timesteps)
        try:
            reason = run(config, paths, record, stop, tracking)
        except BaseException as error:
            ended = stop.instead_of(error)
            stopped = isinstance(ended, KeyboardInterrupt)
            status = RunStatus.stopped if stopped else RunStatus.failed
            with suppress(OSError, RunError):  # on a full disk: what ended the run matters more
                save_metrics_summary(paths)
                record.end(status, str(ended) or type(ended).__name__)
            if ended is not error:
                raise ended from error
            raise
        finally:
            shutil.rmtree(paths.work, ignore_errors=True)
        record.end(RunStatus.finished, reason)


def try_out(config: ExperimentConfig, folder: Path, overrides: Sequence[str]) -> None:
    """What the training would take is told; the folder is as it was."""
    try:
        with StopRequest() as stop:
            with stop.deferred():  # see `run`
                from trafficrl.app.dry_run import dry_run  # noqa: PLC0415

            dry_run(config, folder, overrides)
    except Stopped as stopped:  # there is nothing that could go on
        raise KeyboardInterrupt(str(stopped)) from stopped


def nothing_left(config: ExperimentConfig, folder: Path, overrides: Sequence[str]) -> bool:
    """The folder holds a training of that configuration, finished.

    Raises:
        ConfigError: it holds one of another configuration, or the configuration cannot be.
    """
    refuse_what_is_missing(config)
    if config.execution.dry_run:  # it looks for itself, and there is always something to tell
        return False
    paths = RunPaths(folder)
    return is_finished(reopened(config, paths, overrides), paths)


def refuse_what_is_missing(config: ExperimentConfig) -> None:
    """Return when a training has all that its configuration names.

    Raises:
        ConfigError: a baseline, a teacher or a tracker is not there.
    """
    find_controllers(config.evaluation.baselines, config)
    algorithm = config.algorithm
    if isinstance(algorithm, CommonPPOConfig) and algorithm.cloning.teacher is not None:
        find_teacher("algorithm.cloning.teacher", algorithm.cloning.teacher, config)
    check_installed(config.execution.trackers)


def run(
    config: ExperimentConfig,
    paths: RunPaths,
    record: RunRecord,
    stop: StopRequest,
    tracking: Tracking,
) -> str:
    """Train and judge; returns why training ended."""
    config, task = open_run(config, paths)
    facts = config.provenance
    simulator = config.execution.simulator.value
    record.update(provenance=facts, simulator=simulator)
    tracking.begin(
        config.execution.trackers,
        config_hash=config_hash(config),
        goes_on=any(paths.checkpoints.glob("step_*.zip")),
    )
    check_database(config)
    with build_evaluator(config, task, paths) as evaluator:
        # What only sends jobs away, or finds nothing left to do, is not to wait for torch. While
        # that is imported, an exception from a signal's handler ends the process (SIGABRT).
        with stop.deferred():
            from trafficrl.app.learn import learn  # noqa: PLC0415

        try:
            end = learn(config, task, paths, record=record, stop=stop, evaluator=evaluator)
            record.update(timesteps=end.timesteps, best_score=end.best_score, eta_s=0.0)
            print_metrics_summary(save_metrics_summary(paths))
            comparison = judge_policy(config, paths, record, evaluator)
        finally:
            record.crashes("evaluation", evaluator.crashes)
    results = paths.evaluation / "results.json"
    comparison.save(
        results, sumo=facts["sumo"], simulator=simulator, network_hash=facts["network_hash"]
    )
    save_queues(comparison.results, paths.evaluation / "queues.json")
    print_comparison(comparison, judged_on(config))
    record.update(verdict=comparison.verdict("policy"))
    log.info("run folder: %s", paths.root)
    return end.reason


def check_database(config: ExperimentConfig) -> None:
    """Return when what is judged at the end of a training can be kept.

    Raises:
        RunError: the database cannot be written.
    """
    if config.evaluation.database:
        EvaluationDatabase(Path(config.evaluation.database)).check_writable()


def judge_policy(
    config: ExperimentConfig, paths: RunPaths, record: RunRecord, evaluator: Evaluator
) -> Comparison:
    """The best model beside the baselines on the test demand."""
    controllers = find_controllers(config.evaluation.baselines, config)
    controllers["policy"] = str(paths.best_model)

    def report(done: int) -> None:
        record.update(episodes_judged=done)

    return judge(config, evaluator, controllers, paths, report=report)


def command_line() -> list[str]:
    """The overrides that Hydra was given; none where the run was not begun by it."""
    if not HydraConfig.initialized():
        return []
    return list(HydraConfig.get().overrides.task)


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(train, ExperimentConfig, config_name="train", finished=nothing_left))


if __name__ == "__main__":
    main()
