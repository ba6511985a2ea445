"""The training of a run: the one part of `trafficrl-train` that needs torch."""

from trafficrl.app.imitating import with_demonstrations
from trafficrl.app.judging import build_validation
from trafficrl.app.origin import origin_of
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.task import Task
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord
from trafficrl.runs.stop import StopRequest
from trafficrl.training.checkpoints import Checkpoints
from trafficrl.training.cloning import clone_demonstrations
from trafficrl.training.learner import build_learner
from trafficrl.training.process_state import process_state_kept
from trafficrl.training.trainer import Trainer, TrainingEnd

__all__ = ["learn"]


@process_state_kept()
def learn(
    config: ExperimentConfig,
    task: Task,
    paths: RunPaths,
    *,
    record: RunRecord,
    stop: StopRequest,
    evaluator: Evaluator,
) -> TrainingEnd:
    """The policy has learned, from where the run was; its environments are closed.

    Raises:
        CheckpointError: `resume_from` is missing or damaged.
        Stopped: the run was asked to stop; its checkpoint is whole.
        TrafficRLError: whatever the training could not do.
    """
    origin = origin_of(config, task, paths)
    checkpoint = Checkpoints(paths, origin, keep=config.execution.keep_checkpoints).newest()
    imitating = config if checkpoint is not None else with_demonstrations(config, task, paths)
    model = build_learner(config, task, paths.work, again=checkpoint is not None)
    try:
        if checkpoint is None:
            record.update(**clone_demonstrations(model, imitating, task))
        trainer = Trainer(
            model,
            origin=origin,
            execution=config.execution,
            paths=paths,
            record=record,
            stop=stop,
            validate=build_validation(config, evaluator),
            judge_start=config.has_learned_before,
        )
        return trainer.run(checkpoint)
    finally:
        assert model.env is not None
        model.env.close()
