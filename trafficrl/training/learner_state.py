"""What a learner on running environments consists of beside its model file, as plain values.

Numbers and words are JSON, arrays are tensors: nothing of it is code. Environments come back by
their histories, since SUMO's own saved states do not go on identically: the same episode with the
same actions does.

Shapes: N environments (processes: to a shared policy each is many).
"""

import logging
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnvWrapper, VecMonitor
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs

from trafficrl.errors import CheckpointError
from trafficrl.training.experience import Experience
from trafficrl.training.parts import Learner
from trafficrl.training.processes import SlotHistory, inner_environments

__all__ = ["capture_learner", "random_state", "restore_learner", "set_random_state"]

log = logging.getLogger(__name__)
Plain = dict[str, Any]
Tensors = dict[str, torch.Tensor]


def capture_learner(model: Learner, experience: Experience) -> tuple[Plain, Tensors]:
    """(plain values, tensors) that `restore_learner` brings back."""
    assert model.env is not None
    plain_random, tensors = random_state(model.device)
    histories = inner_environments(model.env).history()
    gathered, arrays = experience.capture()
    tensors |= arrays
    tensors["last_obs"] = torch.as_tensor(np.asarray(model._last_obs))
    tensors["last_starts"] = torch.as_tensor(np.asarray(model._last_episode_starts))
    for slot, history in enumerate(histories):
        if history.actions:
            tensors[f"actions.{slot}"] = torch.as_tensor(np.stack(history.actions))
    plain = {
        "timesteps": int(model.num_timesteps),
        "updates": int(model._n_updates),
        "episodes": [{"r": float(e["r"]), "l": int(e["l"])} for e in (model.ep_info_buffer or ())],
        "slots": [{"seed": history.seed, "episode": history.episode} for history in histories],
        "environments": _sums(model),
        "random": plain_random,
        **gathered,
    }
    return plain, tensors


def restore_learner(
    model: Learner, experience: Experience, plain: Mapping[str, Any], tensors: Tensors
) -> None:
    """The learner stands where the captured one did; its environments replay their episodes.

    The model itself (weights, optimiser, normaliser) has been restored before, and
    `_setup_learn` was called.

    Raises:
        CheckpointError: the two have other environments or other experience.
        TrafficRLError: what an environment raised.
    """
    assert model.env is not None
    assert model.ep_info_buffer is not None
    _check(model, plain)
    experience.restore(plain, tensors)
    slots = [
        SlotHistory(entry["seed"], int(entry["episode"]), list(_actions(tensors, slot)))
        for slot, entry in enumerate(plain["slots"])
    ]
    _compare(model, inner_environments(model.env).restore(slots), tensors["last_obs"].numpy())
    model._last_obs = tensors["last_obs"].numpy()
    model._last_episode_starts = tensors["last_starts"].numpy()
    model.num_timesteps, model._n_updates = int(plain["timesteps"]), int(plain["updates"])
    model.ep_info_buffer.clear()
    # Their means are taken with the precision that the environments' monitor counts in.
    model.ep_info_buffer.extend(
        {"r": np.float32(entry["r"]), "l": np.int32(entry["l"])} for entry in plain["episodes"]
    )
    _set_sums(model, plain["environments"])
    set_random_state(plain["random"], tensors, model.device)


def random_state(device: torch.device) -> tuple[Plain, Tensors]:
    """Every generator that learning draws from: torch's, and those that libraries share."""
    name, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002 - SB3 draws from it
    version, words, next_gauss = random.getstate()
    tensors = {
        "random.torch": torch.get_rng_state(),
        "random.numpy": torch.as_tensor(np.array(keys)),
    }
    if device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(device)
    plain = {
        "numpy": [str(name), int(place), int(has_gauss), float(gauss)],
        "python": [version, list(words), next_gauss],
    }
    return plain, tensors


def set_random_state(plain: Mapping[str, Any], tensors: Tensors, device: torch.device) -> None:
    """The generators go on as those of `random_state` did."""
    torch.set_rng_state(tensors["random.torch"])
    if "random.cuda" in tensors and device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random.cuda"], device)
    name, place, has_gauss, gauss = plain["numpy"]
    keys = tensors["random.numpy"].numpy()
    np.random.set_state((name, keys, place, has_gauss, gauss))  # noqa: NPY002 - SB3 draws from it
    version, words, next_gauss = plain["python"]
    random.setstate((version, tuple(words), next_gauss))


def _check(model: Learner, plain: Mapping[str, Any]) -> None:
    assert model.env is not None
    slots, num_envs = len(plain["slots"]), inner_environments(model.env).num_envs
    if slots != num_envs:
        raise CheckpointError(f"the checkpoint is of {slots} environments, the run of {num_envs}")


def _compare(model: Learner, observations: VecEnvObs, before: np.ndarray) -> None:
    """A replay that led elsewhere is told of: what follows is sound, but not what would have."""
    assert isinstance(observations, np.ndarray)
    observations = observations.reshape(before.shape)  # a shared policy sees signals, not networks
    scale = model.get_vec_normalize_env()
    if scale is not None:
        observations = np.asarray(scale.normalize_obs(observations))
    if not np.array_equal(observations, before):
        log.warning(
            "the environments did not come back to where they were, as with another SUMO or "
            "changed files: the training goes on, but not as if it had never been cut"
        )


def _actions(tensors: Tensors, slot: int) -> np.ndarray | tuple[()]:
    stored = tensors.get(f"actions.{slot}")
    return () if stored is None else stored.numpy()


def _sums(model: Learner) -> Plain:
    """What the wrappers of the environments have summed up of episodes that go on."""
    monitor, scale = _monitor(model), model.get_vec_normalize_env()
    return {
        "returns": monitor.episode_returns.tolist(),
        "lengths": monitor.episode_lengths.tolist(),
        "scaled_returns": None if scale is None else scale.returns.tolist(),
    }


def _set_sums(model: Learner, sums: Mapping[str, Any]) -> None:
    monitor, scale = _monitor(model), model.get_vec_normalize_env()
    monitor.episode_returns = np.array(sums["returns"], np.float32)
    monitor.episode_lengths = np.array(sums["lengths"], np.int32)
    if scale is not None:
        scale.returns = np.array(sums["scaled_returns"])


def _monitor(model: Learner) -> VecMonitor:
    found = model.env
    while isinstance(found, VecEnvWrapper) and not isinstance(found, VecMonitor):
        found = found.venv
    assert isinstance(found, VecMonitor)
    return found
