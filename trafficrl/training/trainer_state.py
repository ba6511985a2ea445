"""Where a training stands: what the loop itself remembers, and all of the learner."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch

from trafficrl.errors import CheckpointError
from trafficrl.training.best import BestSoFar
from trafficrl.training.checkpoints import Checkpoint
from trafficrl.training.experience import Experience
from trafficrl.training.learner_state import capture_learner, restore_learner
from trafficrl.training.metrics_csv import MetricsCsv, plain_number
from trafficrl.training.parts import Learner
from trafficrl.training.restoring import restore_model
from trafficrl.training.traffic_log import TrafficLog

__all__ = ["Phase", "TrainerState", "capture_training", "restore_training"]


class Phase(Enum):
    """What comes next in the loop."""

    rollout = "rollout"
    update = "update"
    judge = "judge"
    """Validation where it is due, and the row of metrics."""


@dataclass
class TrainerState:
    """What the loop goes on from beside the learner."""

    first: int
    """Environment steps before the run."""
    judged: int | None
    """Environment steps at the last judgement; None before the first."""
    best: BestSoFar
    phase: Phase = Phase.judge
    score: float | None = None
    """Of the last validation."""
    traffic: TrafficLog = field(default_factory=TrafficLog)


def capture_training(
    model: Learner, experience: Experience, state: TrainerState, metrics: MetricsCsv
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """(plain values, tensors) of the whole training."""
    plain, tensors = capture_learner(model, experience)
    best = state.best
    plain["trainer"] = {
        "first": state.first,
        "judged": state.judged,
        "phase": state.phase.value,
        "score": state.score,
        "best": [best.score, best.waited, best.reference],
        "traffic": dict(state.traffic.values),
        "pending": {name: plain_number(x) for name, x in model.logger.name_to_value.items()},
        "metrics": metrics.text(),
    }
    return plain, tensors


def restore_training(
    model: Learner,
    experience: Experience,
    checkpoint: Checkpoint,
    state: TrainerState,
    metrics: MetricsCsv,
) -> None:
    """Model, environments, state and `metrics.csv` stand where the checkpoint was taken.

    Raises:
        CheckpointError: it does not fit the run.
        TrafficRLError: what an environment raised while it replayed its episode.
    """
    restore_model(model, checkpoint.model)
    # Whatever is set up must not begin new episodes: those of the checkpoint are replayed.
    model._last_obs = checkpoint.tensors["last_obs"].numpy()
    model._setup_learn(1, None, reset_num_timesteps=False)
    try:
        saved = checkpoint.plain["trainer"]
        state.first, state.judged = int(saved["first"]), saved["judged"]
        state.phase, state.score = Phase(saved["phase"]), saved["score"]
        state.best.score, state.best.waited, state.best.reference = saved["best"]
        state.traffic = TrafficLog(saved["traffic"])
        restore_learner(model, experience, checkpoint.plain, checkpoint.tensors)
        for name, value in saved["pending"].items():
            model.logger.record(name, value)
        metrics.restore(saved["metrics"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{checkpoint.file}: the training state is damaged: {type(error).__name__} {error}"
        ) from error
