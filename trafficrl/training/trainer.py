"""The training loop: roll out, update, log, validate, checkpoint, until the steps are done.

Stable-Baselines3 learns one rollout at a time, so that between two of them nothing is in flight:
that is where schedules are set, models saved and the end is decided.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from stable_baselines3 import PPO
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat
from stable_baselines3.common.utils import FloatSchedule

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.execution import ExecutionConfig
from trafficrl.network.model import Network
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.record import RunRecord
from trafficrl.training.best import BestSoFar, Validation
from trafficrl.training.metrics_csv import MetricsCsv
from trafficrl.training.models import save_model
from trafficrl.training.schedules import entropy_schedule, learning_rate_schedule
from trafficrl.training.step_times import StepTimes
from trafficrl.training.traffic_log import TrafficLog

__all__ = ["Trainer", "TrainingEnd"]

log = logging.getLogger(__name__)


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
        validate: a model file's worth on the validation demand; None for no validation.
    """

    def __init__(
        self,
        model: PPO,
        *,
        algorithm: PPOConfig,
        execution: ExecutionConfig,
        network: Network,
        paths: RunPaths,
        record: RunRecord,
        validate: Callable[[Path], Validation] | None,
    ) -> None:
        self._model = model
        self._algorithm = algorithm
        self._execution = execution
        self._network = network
        self._paths = paths
        self._record = record
        self._validate = validate
        self._first = int(model.num_timesteps)
        self._end = self._first + execution.total_timesteps
        self._best = BestSoFar(
            execution.early_stopping_patience, execution.early_stopping_min_delta
        )
        self._learning_rate = learning_rate_schedule(algorithm, total_timesteps=self._end)
        self._entropy = entropy_schedule(algorithm)
        self._traffic = TrafficLog()
        self._times = StepTimes()
        paths.checkpoints.mkdir(exist_ok=True)
        model.set_logger(self._logger())

    def run(self) -> TrainingEnd:
        """The model has learned its steps, or stopped early; final and best model are saved."""
        reason = "all steps done"
        model = self._model
        report = ProgressReport("training", total=self._end, unit="steps")
        with closing(model.logger), report as progress:
            progress.advance_to(self._first)
            if self._validate is not None:
                self._validate_now()
                model.logger.dump(self._first)
            while model.num_timesteps < self._end:
                before = model.num_timesteps
                self._learn_one_rollout()
                if self._due(self._execution.eval_freq, before):
                    self._validate_now()
                if self._due(self._execution.checkpoint_freq, before):
                    self._save(self._paths.checkpoint(model.num_timesteps))
                    self._drop_old_checkpoints()
                model.dump_logs()
                self._report(progress)
                if self._best.exhausted:
                    reason = f"no better score in {self._best.waited} validations"
                    break
        log.info("training ended at %d steps: %s", model.num_timesteps, reason)
        self._save(self._paths.final_model)
        if not self._paths.best_model.is_file():
            self._save(self._paths.best_model)
        return TrainingEnd(reason, int(model.num_timesteps), self._best.score)

    def _learn_one_rollout(self) -> None:
        model = self._model
        rate = self._learning_rate(model.num_timesteps)
        model.learning_rate = rate
        model.lr_schedule = FloatSchedule(rate)
        model.ent_coef = self._entropy(model.num_timesteps)
        model.learn(
            model.n_steps * model.n_envs,
            callback=[self._traffic, self._times],
            log_interval=None,  # type: ignore[arg-type] # SB3 reads None as "never", its type not
            reset_num_timesteps=False,
        )
        model.logger.record("train/ent_coef", model.ent_coef)

    def _due(self, frequency: int, before: int) -> bool:
        """A multiple of the frequency lies in the environment steps just done."""
        done = self._model.num_timesteps
        return frequency > 0 and done // frequency > before // frequency

    def _validate_now(self) -> None:
        if self._validate is None:
            return
        candidate = self._paths.work / "candidate.zip"
        self._save(candidate)
        found = self._validate(candidate)
        for name, value in found.metrics.items():
            self._model.logger.record(f"validation/{name}", value)
        self._model.logger.record("validation/score", found.score)
        if self._best.judge(found.score):
            candidate.replace(self._paths.best_model)
        best = "none" if self._best.score is None else f"{self._best.score:.3f}"
        steps = self._model.num_timesteps
        log.info("validation at %d steps: score %.3f, best %s", steps, found.score, best)

    def _report(self, progress: ProgressReport) -> None:
        steps = int(self._model.num_timesteps)
        rewards = [episode["r"] for episode in self._model.ep_info_buffer or ()]
        note = f"episode reward {sum(rewards) / len(rewards):.1f}" if rewards else ""
        progress.advance_to(steps, note)
        times_ms = self._times.median_ms()
        self._record.update(timesteps=steps, best_score=self._best.score, step_ms=times_ms)

    def _save(self, file: Path) -> None:
        save_model(self._model, file, algorithm=self._algorithm, network=self._network)

    def _drop_old_checkpoints(self) -> None:
        kept = self._execution.keep_checkpoints
        for file in sorted(self._paths.checkpoints.glob("step_*.zip"))[:-kept]:
            file.unlink()

    def _logger(self) -> Logger:
        writers: list[KVWriter] = [MetricsCsv(self._paths.metrics)]
        if self._execution.tensorboard:
            writers.append(TensorBoardOutputFormat(str(self._paths.tensorboard)))
        return Logger(folder=None, output_formats=writers)
