"""What a training tells while it goes on: the progress line, and `run.json`."""

from trafficrl.runs.progress import ProgressReport
from trafficrl.runs.record import RunRecord
from trafficrl.training.checkpoints import Scores
from trafficrl.training.parts import Learner
from trafficrl.training.processes import inner_environments
from trafficrl.training.step_times import StepTimes

__all__ = ["Teller"]


class Teller:
    """Tells how far a model is on its way to the last environment step of its run."""

    def __init__(
        self,
        model: Learner,
        record: RunRecord,
        progress: ProgressReport,
        times: StepTimes,
        *,
        end: int,
    ) -> None:
        self._model = model
        self._record = record
        self._progress = progress
        self._times = times
        self._end = end
        record.update(total_timesteps=end)
        progress.advance_to(int(model.num_timesteps))

    def tell(self, scores: Scores) -> None:
        """Steps, scores, speed, and how long it will take."""
        steps = int(self._model.num_timesteps)
        rewards = [episode["r"] for episode in self._model.ep_info_buffer or ()]
        note = f"episode reward {sum(rewards) / len(rewards):.1f}" if rewards else ""
        self._progress.advance_to(steps, note)
        speed = self._times.steps_per_s()
        self._record.update(
            timesteps=steps,
            best_score=scores.best_score,
            last_score=scores.score,
            step_ms=self._times.median_ms(),
            steps_per_s=speed,
            eta_s=None if speed is None else round((self._end - steps) / speed, 1),
        )
        self.tell_crashes()

    def tell_crashes(self) -> None:
        """What crashed of the environments."""
        assert self._model.env is not None
        self._record.crashes("training", inner_environments(self._model.env).crashes)
