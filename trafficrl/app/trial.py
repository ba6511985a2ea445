"""A training that was built and measured by a dry run, and what follows from that for the whole."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.task import Task
from trafficrl.runs.processors import processors
from trafficrl.training.effort import Effort

__all__ = ["Trial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A training that was built and measured."""

    config: ExperimentConfig
    task: Task
    effort: Effort
    device: str
    first: int
    """Environment steps that its model has learned from before the run."""
    done: int
    """Of its own steps, those that its folder holds already."""
    goes_on: Path | None
    """That folder, if it holds any."""
    coming: Path | None
    """The model that it starts from, which another job has yet to make."""
    demonstrations: int
    """Rows of given files that it imitates at first."""
    episodes_to_drive: int
    """Of a teacher, which it imitates at first."""
    start_s: float
    """Until network, environments and a worker of evaluations were there [s]."""
    worker_bytes: int
    """A worker of evaluations before it simulates."""
    worker_share_bytes: int
    """What of that it has for itself, and its share of what others have too."""

    @property
    def decisions(self) -> int:
        """Of an episode."""
        decision_s = self.config.algorithm.action.decision_s
        return ceil(self.config.execution.end_time / decision_s)

    @property
    def left(self) -> int:
        """Environment steps to train."""
        return max(self.config.execution.total_timesteps - self.done, 0)

    @property
    def workers(self) -> int:
        """Of evaluations."""
        return self.config.evaluation.workers or processors()

    @property
    def memory_bytes(self) -> int:
        """All processes at their highest together; what they share counts once."""
        effort = self.effort
        evaluating = self.workers * (self.worker_share_bytes + effort.simulation_bytes)
        return effort.together_bytes + effort.experience_bytes + evaluating

    @property
    def validations(self) -> int:
        """The last model is judged, and one that has learned before also at its start."""
        frequency = self.config.execution.eval_freq
        if not frequency:
            return 0
        # A model that has yet to come is not in the configuration that was tried.
        learned_before = self.config.has_learned_before or self.coming is not None
        start = int(learned_before and not self.done)
        return start + min(ceil(self.left / frequency), self.effort.whole_updates(self.left))

    @property
    def parts_s(self) -> dict[str, float]:
        """Part of the training -> its time [s]."""
        config, effort = self.config, self.effort
        scenarios = len(config.scenarios)
        controllers = len(config.evaluation.baselines) + 1
        validated = self.validations * scenarios * config.execution.validation_seeds
        return {
            "start": self.start_s,
            "demonstrations": self._judging_s(self.episodes_to_drive),
            "rollouts": effort.rollout_s(self.left, self.decisions),
            "updates": effort.update_s(self.left),
            f"{self.validations} validations": self._judging_s(validated),
            "the last comparison": self._judging_s(
                controllers * scenarios * config.evaluation.seeds
            ),
        }

    def _judging_s(self, episodes: int) -> float:
        """Episodes of an evaluation, which are taken to be as those of training are [s]."""
        cores, num_envs = processors(), self.effort.num_envs
        one_s = self.effort.episode_s(self.decisions) * min(cores, num_envs) / num_envs
        return episodes * one_s / max(min(cores, self.workers, episodes), 1)
