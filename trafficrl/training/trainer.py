"""The training loop: roll out, update, judge, checkpoint, until the steps are done or it must stop.

Every part of it can be left and taken up again: a rollout after any step, an update and a judgement
as a whole. What is saved is what the loop itself goes on from, so that a training that was cut
ends bit for bit as one that was not.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from stable_baselines3.common.logger import KVWriter, Logger

from trafficrl.config.execution import ExecutionConfig
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.record import RunRecord
from trafficrl.runs.stop import Stopped, StopRequest
from trafficrl.training.best import BestSoFar, Validation
from trafficrl.training.checkpoints import Checkpoint, Checkpoints, Origin, Scores
from trafficrl.training.experience import build_experience
from trafficrl.training.metrics_csv import MetricsCsv
from trafficrl.training.parts import Learner
from trafficrl.training.schedules import Schedules
from trafficrl.training.step_times import StepTimes
from trafficrl.training.telling import Teller
from trafficrl.training.tensorboard_events import TensorBoardEvents
from trafficrl.training.trainer_state import Phase, TrainerState, capture_training, restore_training
from trafficrl.training.whole_updates import check_weights, undone_if_cut

__all__ = ["Trainer", "TrainingEnd"]

log = logging.getLogger(__name__)
SETUP_STEPS = 1
"""Stable-Baselines3 asks for a number of steps when it is set up; the loop is ours."""


@dataclass(frozen=True, slots=True)
class TrainingEnd:
    """Why and where a training ended."""

    reason: str
    timesteps: int
    best_score: float | None


class Trainer:
    """Trains one model in one run folder.

    Args:
        model: new, or going on from another.
        origin: what the models of the run come from.
        execution: how long, and how often it is judged and saved.
        paths: of the run.
        record: tells how far it is.
        stop: asks it to stop.
        validate: a model file's worth on the validation demand; None for no validation.
        judge_start: whether the model is judged before its first step too. One that has learned
            nothing yet is not worth it: a city under it stands still, which takes minutes.
    """

    def __init__(
        self,
        model: Learner,
        *,
        origin: Origin,
        execution: ExecutionConfig,
        paths: RunPaths,
        record: RunRecord,
        stop: StopRequest,
        validate: Callable[[Path], Validation] | None,
        judge_start: bool,
    ) -> None:
        self._model = model
        self._execution = execution
        self._paths = paths
        self._record = record
        self._stop = stop
        self._validate, self._judge_start = validate, judge_start
        first = int(model.num_timesteps)
        best = BestSoFar(execution.early_stopping_patience, execution.early_stopping_min_delta)
        self._state = TrainerState(first=first, judged=None, best=best)
        self._metrics, self._times = MetricsCsv(paths.metrics), StepTimes()
        self._checkpoints = Checkpoints(paths, origin, keep=execution.keep_checkpoints)
        self._saved: tuple[int, Phase] | None = None
        self._experience = build_experience(model, origin.algorithm)
        self._algorithm = origin.algorithm
        record.update(lineage=[asdict(ancestor) for ancestor in origin.facts["lineage"]])
        model.set_logger(self._logger())

    def run(self, checkpoint: Checkpoint | None = None) -> TrainingEnd:
        """The model has learned its steps, or stopped early; final and best model are saved.

        Args:
            checkpoint: of this run, to go on from.

        Raises:
            Stopped: the run was asked to stop, and a checkpoint holds where it was.
            RunError: a model cannot be written.
            CheckpointError: the checkpoint does not fit the run.
            TrafficRLError: what an environment or a validation raised.
        """
        model, state = self._model, self._state
        if checkpoint is None:
            model._setup_learn(SETUP_STEPS, None, reset_num_timesteps=False)
        else:
            restore_training(model, self._experience, checkpoint, state, self._metrics)
            self._saved = int(model.num_timesteps), state.phase
        self._end = state.first + self._execution.total_timesteps
        self._schedules = Schedules(self._algorithm, first=state.first, total_timesteps=self._end)
        report = ProgressReport("training", total=self._end, unit="steps")
        with closing(model.logger), report as progress:
            teller = Teller(model, self._record, progress, self._times, end=self._end)
            with self._stop.deferred():
                reason = self._loop_until_stopped(teller)
        log.info("training ended at %d steps: %s", model.num_timesteps, reason)
        with self._stop.deferred():
            self._checkpoints.save_model(model, self._paths.final_model, self._scores())
            # Without a validation there is no best one but the last.
            if state.best.score is None or not self._paths.best_model.is_file():
                self._checkpoints.save_model(model, self._paths.best_model, self._scores())
        return TrainingEnd(reason, int(model.num_timesteps), state.best.score)

    def _loop_until_stopped(self, teller: Teller) -> str:
        try:
            return self._loop(teller)
        except Stopped:
            self._save_checkpoint()
            log.info("stopped at %d steps; the same command goes on", self._model.num_timesteps)
            raise
        finally:
            teller.tell_crashes()

    def _loop(self, teller: Teller) -> str:
        """Returns why training ended."""
        state, parts = self._state, self._parts()
        while True:
            self._stop.check()
            if state.phase is Phase.rollout:
                if state.best.exhausted:
                    return f"no better score in {state.best.waited} validations"
                if self._model.num_timesteps >= self._end:
                    return "all steps done"
            parts[state.phase]()
            if state.phase is Phase.rollout:
                teller.tell(self._scores())

    def _parts(self) -> dict[Phase, Callable[[], None]]:
        return {
            Phase.rollout: self._roll_out,
            Phase.update: self._update,
            Phase.judge: self._judge,
        }

    def _roll_out(self) -> None:
        model, state, experience = self._model, self._state, self._experience
        self._apply_schedules()
        with self._times.timed("rollout", steps=experience.missing):
            while not experience.full:
                self._stop.check()
                before = int(model.num_timesteps)
                state.traffic.add(experience.step())
                if not experience.full and self._due(self._execution.checkpoint_freq, before):
                    self._save_checkpoint()
        state.phase = Phase.update

    def _update(self) -> None:
        model, state, experience = self._model, self._state, self._experience
        self._apply_schedules()
        with (
            self._times.timed("update", steps=experience.decisions),
            undone_if_cut(model),
            self._stop.interruptible(),
        ):
            experience.learn()
            check_weights(model)
        self._schedules.tell(model)
        for name, value in state.traffic.take().items():
            model.logger.record(name, value)
        experience.clear()
        state.phase = Phase.judge

    def _apply_schedules(self) -> None:
        """What was so when the rollout began is so until its update has ended."""
        done = self._experience.decisions - self._experience.missing
        self._schedules.apply(self._model, int(self._model.num_timesteps) - done)

    def _judge(self) -> None:
        """Validation and the row of the update; then the state is saved where that is due."""
        state, steps = self._state, int(self._model.num_timesteps)
        begun = state.judged is not None
        # The last model too, or a short training would be judged by one that has learned nothing.
        due = steps >= self._end or self._due(self._execution.eval_freq, state.judged or 0)
        validate = self._validate if (due if begun else self._judge_start) else None
        if validate is not None:
            self._validate_now(validate)
        if begun:
            self._model.dump_logs()
        elif validate is not None:
            self._model.logger.dump(steps)
        before, state.judged = state.judged, steps
        state.phase = Phase.rollout
        save = before is not None and self._due(self._execution.checkpoint_freq, before)
        if save or steps >= self._end or state.best.exhausted:
            self._save_checkpoint()

    def _validate_now(self, validate: Callable[[Path], Validation]) -> None:
        model, state = self._model, self._state
        candidate = self._paths.work / "candidate.zip"
        self._checkpoints.save_model(model, candidate, self._scores())
        with self._stop.interruptible():
            found = validate(candidate)
        for name, value in found.metrics.items():
            model.logger.record(f"validation/{name}", value)
        model.logger.record("validation/score", found.score)
        state.score = found.score
        if state.best.judge(found.score):
            self._checkpoints.save_model(model, self._paths.best_model, self._scores())
        best = "none" if state.best.score is None else f"{state.best.score:.3f}"
        steps = model.num_timesteps
        log.info("validation at %d steps: score %.3f, best %s", steps, found.score, best)

    def _due(self, frequency: int, before: int) -> bool:
        """A multiple of the frequency lies in the environment steps just done."""
        done = int(self._model.num_timesteps)
        return frequency > 0 and done // frequency > before // frequency

    def _save_checkpoint(self) -> None:
        """What stands there already stays: while it is replaced there is no whole one."""
        here = int(self._model.num_timesteps), self._state.phase
        if here == self._saved:
            return
        plain, tensors = capture_training(self._model, self._experience, self._state, self._metrics)
        self._checkpoints.save(self._model, plain, tensors, self._scores())
        self._saved = here
        self._record.checkpoint(int(self._model.num_timesteps))

    def _scores(self) -> Scores:
        return Scores(self._state.score, self._state.best.score)

    def _logger(self) -> Logger:
        writers: list[KVWriter] = [self._metrics]
        if "tensorboard" in self._execution.trackers:
            writers.append(TensorBoardEvents(self._paths))
        return Logger(folder=None, output_formats=writers)
