"""An update happens as a whole or not at all."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from stable_baselines3 import PPO
from stable_baselines3.common.buffers import ReplayBuffer

from trafficrl.errors import ConfigError
from trafficrl.training.learner_state import random_state, set_random_state
from trafficrl.training.parts import Learner, optimizers, variables

__all__ = ["check_weights", "undone_if_cut"]


@contextmanager
def undone_if_cut(model: Learner) -> Iterator[None]:
    """When the block raises, the learner is what it was before it, so that it can be saved."""
    buffer = model.rollout_buffer if isinstance(model, PPO) else model.replay_buffer
    weights = copy.deepcopy(model.policy.state_dict())
    states = {name: copy.deepcopy(one.state_dict()) for name, one in optimizers(model).items()}
    values = {name: value.detach().clone() for name, value in variables(model).items()}
    plain, tensors = random_state(model.device)
    updates, pending = model._n_updates, dict(model.logger.name_to_value)
    arrays = dict(vars(buffer))  # learning flattens them: it puts others in their place
    newest = buffer.timeouts[buffer.pos - 1].copy() if isinstance(buffer, ReplayBuffer) else None
    try:
        yield
    except BaseException:
        model.policy.load_state_dict(weights)
        for name, one in optimizers(model).items():
            one.load_state_dict(states[name])
        for name, value in variables(model).items():
            value.data.copy_(values[name])
        set_random_state(plain, tensors, model.device)
        model._n_updates = updates
        model.logger.name_to_value.clear()
        model.logger.name_to_value.update(pending)
        vars(buffer).update(arrays)
        if isinstance(buffer, ReplayBuffer):  # drawing several steps at once writes to this place
            buffer.timeouts[buffer.pos - 1] = newest
        raise


def check_weights(model: Learner) -> None:
    """Return when an update left numbers that can be computed with.

    Raises:
        ConfigError: it did not: nothing that follows would learn anything.
    """
    for name, weights in model.policy.named_parameters():
        if not weights.isfinite().all():
            raise ConfigError(
                f"the update at {model.num_timesteps} steps left weights that are no finite "
                f"numbers ({name}); a smaller algorithm.learning_rate, or smaller rewards, may "
                "keep them finite"
            )
