"""Behaviour cloning: a policy imitates demonstrations before it learns by itself.

Whole episodes are held out, and the weights of the epoch that imitates those best are kept. All
chance comes from one stream, so that a cloning that was cut is done again the same way.

Shapes: D rows of all demonstrations (a decision, or one of a signal), A numbers of an action.
"""

import copy
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from torch.nn.functional import mse_loss

from trafficrl.config.algorithm import CommonPPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.teachers import CloningConfig
from trafficrl.control.commands import PhaseDurations
from trafficrl.env.actions import build_action
from trafficrl.env.task import Task
from trafficrl.runs.seeding import stream
from trafficrl.runs.sidecars import file_sha256
from trafficrl.training.cloning_rows import Rows, load_rows
from trafficrl.training.imitation import imitation_losses
from trafficrl.training.parts import Learner

__all__ = ["Cloner", "Imitation", "clone_demonstrations", "clone_policy"]

log = logging.getLogger(__name__)
MOST_AT_ONCE = 4096
"""Rows that are judged in one pass."""


@dataclass(frozen=True, slots=True)
class Imitation:
    """How well held-out episodes are imitated."""

    loss: float
    """Mean loss of the actions [nat]."""
    agreement: float
    """Share of what signals did, where they had a choice, that the policy would have done too."""


def clone_demonstrations(model: Learner, config: ExperimentConfig, task: Task) -> dict[str, Any]:
    """The model has cloned the configured demonstrations, if any; what `run.json` says of it.

    Raises:
        ConfigError: demonstrations that are damaged, or do not fit the experiment.
    """
    algorithm = config.algorithm
    if not isinstance(algorithm, CommonPPOConfig) or not algorithm.cloning.demonstrations:
        return {}
    assert isinstance(model, PPO)
    rows = load_rows(algorithm, task, model.get_vec_normalize_env())
    rng = stream(config.seed, "cloning", int(model.num_timesteps))
    found = clone_policy(model, rows, algorithm, task, rng)
    files = [file_sha256(Path(file)) for file in algorithm.cloning.demonstrations]
    return {"cloning": {"rows": len(rows), **asdict(found), "sha256": files}}


def clone_policy(
    model: PPO, rows: Rows, algorithm: CommonPPOConfig, task: Task, rng: np.random.Generator
) -> Imitation:
    """The model's policy does what the demonstrations show, as far as it can; how far it can.

    Its own optimiser is as it was: cloning has one of its own.

    Args:
        model: whose weights are changed.
        rows: of all demonstrations.
        algorithm: with what concerns cloning.
        task: whose actions they are.
        rng: draws which episodes are held out, and the order of rows.
    """
    config = algorithm.cloning
    learned, held_out = rows.split(config.held_out, rng)
    cloner = Cloner(model, config, task)
    best, weights = None, copy.deepcopy(model.policy.state_dict())
    for epoch in range(config.epochs):
        loss = cloner.learn(learned, rng)
        found = cloner.judge(held_out)
        log.info(
            "cloning: epoch %d of %d: loss %.4f; held out: loss %.4f, agreement %.1f %%",
            epoch + 1,
            config.epochs,
            loss,
            found.loss,
            100 * found.agreement,
        )
        if best is None or found.loss < best.loss:
            best, weights = found, copy.deepcopy(model.policy.state_dict())
    model.policy.load_state_dict(weights)
    assert best is not None
    return best


class Cloner:
    """Gradient steps towards rows, and a judgement of others."""

    def __init__(self, model: PPO, config: CloningConfig, task: Task) -> None:
        self._policy, self._config = model.policy, config
        self._device, self._max_norm = model.device, model.max_grad_norm
        self._num_phases = [len(signal.phases) for signal in task.network.signals]
        self._action = build_action(task.action, task.network, task.step_s)
        self._optimizer = torch.optim.Adam(self._policy.parameters(), lr=config.learning_rate)

    def learn(self, rows: Rows, rng: np.random.Generator) -> float:
        """One pass over the rows; the mean loss of its actions [nat]."""
        losses = []
        self._policy.set_training_mode(True)
        for batch in rows.batches(self._config.batch_size, rng.permutation(len(rows))):
            loss = self._loss(batch).mean()
            total = loss
            if self._config.value_coef:
                seen, returns = self._tensor(batch.observations), self._tensor(batch.returns)
                error = mse_loss(self._policy.predict_values(seen)[:, 0], returns)
                total = loss + self._config.value_coef * error
            self._optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._policy.parameters(), self._max_norm)
            self._optimizer.step()
            losses.append(float(loss.detach()) * len(batch))
        self._policy.set_training_mode(False)
        return sum(losses) / len(rows)

    def judge(self, rows: Rows) -> Imitation:
        """How well rows that were not learned from are imitated."""
        loss, agreed, choices = 0.0, 0, 0
        with torch.no_grad():
            for batch in rows.batches(MOST_AT_ONCE, np.arange(len(rows))):
                loss += float(self._loss(batch).sum())
                same = self._agree(batch)
                agreed += int(same[batch.choice].sum())
                choices += int(same[batch.choice].size)
        return Imitation(loss / len(rows), agreed / max(choices, 1))

    def _loss(self, batch: Rows) -> torch.Tensor:
        seen, actions = self._tensor(batch.observations), self._tensor(batch.actions)
        return imitation_losses(self._policy, seen, actions, self._num_phases)

    def _agree(self, batch: Rows) -> np.ndarray:
        """(D, signals of a row) where the most likely action does the same."""
        found, _ = self._policy.predict(batch.observations, deterministic=True)
        if batch.actions.dtype.kind == "f":
            both = zip(found, batch.actions, strict=True)
            return np.stack([self._same_greens(one, other) for one, other in both])
        same: np.ndarray = np.equal(found.reshape(batch.actions.shape), batch.actions)
        return same

    def _same_greens(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """(S,) where both decode to the same greens."""
        decoded = [self._action.decode(action) for action in (one, other)]
        greens = [command.green_s for command in decoded if isinstance(command, PhaseDurations)]
        same: np.ndarray = np.all(np.isclose(greens[0], greens[1]), axis=1)
        return same

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, np.float32), device=self._device)
