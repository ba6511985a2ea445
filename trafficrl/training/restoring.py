"""A fresh learner takes up what a model file holds."""

from typing import Any

import torch

from trafficrl.errors import CheckpointError
from trafficrl.training.models import LoadedModel, error_line
from trafficrl.training.parts import Learner, optimizers, variables

__all__ = ["restore_model"]


def restore_model(model: Learner, loaded: LoadedModel) -> None:
    """A fresh model goes on where the loaded one was: weights, optimiser, steps, normalisation.

    Raises:
        CheckpointError: the two do not have the same shape.
    """
    try:
        model.policy.load_state_dict(loaded.policy_state)
        for name, optimizer in optimizers(model).items():
            _restore_optimizer(optimizer, loaded.optimizer_states[name])
        for name, variable in variables(model).items():
            variable.data.copy_(loaded.variables[name])
    # Every exception: the optimiser believes its state to be whole, and a file may hold anything.
    except Exception as error:
        raise CheckpointError(
            f"{loaded.file}: does not fit this run: {error_line(error)}"
        ) from error
    model.num_timesteps = loaded.timesteps
    environments = model.get_vec_normalize_env()
    for statistics in (loaded.normaliser, loaded.reward_scale):
        if environments is not None and statistics is not None:
            statistics.restore(environments)


def _restore_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    optimizer.load_state_dict(state)
    for parameter, moments in optimizer.state.items():
        if any(moments[name].shape != parameter.shape for name in ("exp_avg", "exp_avg_sq")):
            raise ValueError("the optimiser's state has other shapes than the weights")
