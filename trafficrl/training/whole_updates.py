"""An update happens as a whole or not at all."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer

from trafficrl.training.learner_state import random_state, set_random_state

__all__ = ["undone_if_cut"]


@contextmanager
def undone_if_cut(model: PPO) -> Iterator[None]:
    """When the block raises, the learner is what it was before it, so that it can be saved."""
    buffer = model.rollout_buffer
    assert isinstance(buffer, RolloutBuffer)
    weights = copy.deepcopy(model.policy.state_dict())
    optimizer = copy.deepcopy(model.policy.optimizer.state_dict())
    plain, tensors = random_state(model.device)
    updates, pending = model._n_updates, dict(model.logger.name_to_value)
    arrays = dict(vars(buffer))  # learning flattens them: it puts others in their place
    try:
        yield
    except BaseException:
        model.policy.load_state_dict(weights)
        model.policy.optimizer.load_state_dict(optimizer)
        set_random_state(plain, tensors, model.device)
        model._n_updates = updates
        model.logger.name_to_value.clear()
        model.logger.name_to_value.update(pending)
        vars(buffer).update(arrays)
        raise
