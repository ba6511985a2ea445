"""trafficrl-train: builds what the configuration says, trains, and judges what was learned."""

import logging
import shutil
import sys
from pathlib import Path

from trafficrl.app.build import build_validation, judge, judged_on, labels, open_run, refuse_used
from trafficrl.app.console import run_app
from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.task import Task
from trafficrl.evaluation.controllers import check_controller
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.evaluation.queues import save_queues
from trafficrl.evaluation.tables import print_comparison
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord, RunStatus
from trafficrl.training.learner import build_learner
from trafficrl.training.trainer import Trainer, TrainingEnd

__all__ = ["main", "train"]

log = logging.getLogger(__name__)


def train(config: ExperimentConfig, folder: Path) -> None:
    """The run folder holds a trained model and what it is worth.

    Raises:
        RunError: the folder holds a run already.
        TrafficRLError: whatever the run could not do; `run.json` says failed then.
    """
    for name in config.evaluation.baselines:
        check_controller(name, config.controller)
    paths = RunPaths(folder)
    refuse_used(paths)
    record = RunRecord(paths.run, total_timesteps=config.execution.total_timesteps, timesteps=0)
    try:
        reason = run(config, paths, record)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        status = RunStatus.stopped if interrupted else RunStatus.failed
        record.end(status, str(error) or type(error).__name__)
        raise
    finally:
        shutil.rmtree(paths.work, ignore_errors=True)
    record.end(RunStatus.finished, reason)


def run(config: ExperimentConfig, paths: RunPaths, record: RunRecord) -> str:
    """Train and judge; returns why training ended."""
    config, task = open_run(config, paths)
    facts = config.provenance
    record.update(provenance=facts)
    with Evaluator(task, paths.work, workers=config.evaluation.workers) as evaluator:
        end = learn(config, task, paths, record, evaluator)
        record.update(timesteps=end.timesteps, best_score=end.best_score)
        controllers = labels(config.evaluation.baselines) | {"policy": str(paths.best_model)}
        comparison = judge(config, evaluator, controllers, paths)
    results = paths.evaluation / "results.json"
    comparison.save(results, sumo=facts["sumo"], network_hash=facts["network_hash"])
    save_queues(comparison.results, paths.evaluation / "queues.json")
    print_comparison(comparison, judged_on(config))
    record.update(verdict=comparison.verdict("policy"))
    log.info("run folder: %s", paths.root)
    return end.reason


def learn(
    config: ExperimentConfig, task: Task, paths: RunPaths, record: RunRecord, evaluator: Evaluator
) -> TrainingEnd:
    """The policy has learned; its environments are closed."""
    assert isinstance(config.algorithm, PPOConfig)
    model = build_learner(config, task, paths.work)
    try:
        trainer = Trainer(
            model,
            algorithm=config.algorithm,
            execution=config.execution,
            network=task.network,
            paths=paths,
            record=record,
            validate=build_validation(config, evaluator),
        )
        return trainer.run()
    finally:
        assert model.env is not None
        model.env.close()


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(train, ExperimentConfig, config_name="train"))


if __name__ == "__main__":
    main()
