"""trafficrl-evaluate: controllers x scenarios x seeds, on unseen demand, in one table."""

import logging
import shutil
import sys
from pathlib import Path

from trafficrl.app.build import build_evaluator, open_run, refuse_used
from trafficrl.app.console import run_app
from trafficrl.app.controllers import find_controllers, models_of, tell_strangers
from trafficrl.app.judging import judge, judged_on
from trafficrl.config.experiment import EvaluateConfig
from trafficrl.evaluation.queues import save_queues
from trafficrl.evaluation.results import Comparison
from trafficrl.evaluation.tables import print_comparison
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.stop import Stopped, StopRequest

__all__ = ["evaluate", "judge_controllers", "main"]

log = logging.getLogger(__name__)


def evaluate(config: EvaluateConfig, folder: Path) -> None:
    """`evaluation/results.json` in the folder holds the outcome, and the table is printed.

    Raises:
        Stopped: a signal or the time limit ended it; the same command goes on with what the
            database does not know yet.
        KeyboardInterrupt: the same, and there is no database that would know anything.
    """
    try:
        with StopRequest(time_limit_s=config.execution.time_limit_s) as stop:
            controllers = find_controllers(config.controllers, config)
            if not config.controller.keys() >= set(controllers.values()):
                with stop.deferred():  # torch bears no exception from a signal while it is imported
                    from trafficrl.training.models import load_model  # noqa: F401, PLC0415
            judge_controllers(config, folder, controllers)
    except Stopped as stopped:
        if config.evaluation.database and config.evaluation.reuse:
            raise
        raise KeyboardInterrupt(str(stopped)) from stopped


def judge_controllers(
    config: EvaluateConfig, folder: Path, controllers: dict[str, str]
) -> Comparison:
    """The outcome, which `evaluation/results.json` in the folder holds too; the table is printed.

    Args:
        config: of the evaluation.
        folder: the run folder.
        controllers: the configuration's, as `find_controllers` finds them.

    Raises:
        RunError: the folder holds a trained run.
        CheckpointError: a model that is missing, damaged, or was trained for another network.
    """
    paths = RunPaths(folder)
    refuse_used(paths)
    results, queues = (paths.evaluation / name for name in ("results.json", "queues.json"))
    for earlier in (results, queues):  # never beside a configuration that is not theirs
        earlier.unlink(missing_ok=True)
    config, task = open_run(config, paths)
    tell_strangers(controllers, task.network)
    models = models_of(controllers)  # before: a training that goes on replaces its best model
    try:
        with build_evaluator(config, task, paths) as evaluator:
            comparison = judge(config, evaluator, controllers, paths)
    finally:
        shutil.rmtree(paths.work, ignore_errors=True)
    comparison.save(
        results,
        controllers=config.controllers,
        models=models,
        simulator=config.execution.simulator.value,
        provenance=config.provenance,
    )
    save_queues(comparison.results, queues)
    print_comparison(comparison, judged_on(config))
    log.info("results: %s", results)
    return comparison


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run_app(evaluate, EvaluateConfig, config_name="evaluate"))


if __name__ == "__main__":
    main()
