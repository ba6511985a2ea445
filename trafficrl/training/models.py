"""Model files: Stable-Baselines3's own zip, with what is needed to read it without running code.

A zip holds `policy.pth` and `policy.optimizer.pth` (tensors, read with `weights_only`) and our
`trafficrl.json` (all else). Stable-Baselines3's pickled `data` is for its own loader; ours never
opens it.
"""

import io
import json
import pickle
import zipfile
import zlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecNormalize

from trafficrl.config.algorithm import (
    ActionConfig,
    ActionKind,
    ObservationConfig,
    PPOConfig,
)
from trafficrl.config.load import plain_values, to_algorithm
from trafficrl.env.actions import LOGIT_LIMIT
from trafficrl.errors import CheckpointError, ConfigError
from trafficrl.network.model import Network
from trafficrl.runs.files import replacing
from trafficrl.training.policies import LAYOUT, build_policy_arguments, policy_class

__all__ = ["LoadedModel", "load_model", "restore_model", "save_model", "use_one_thread"]

DESCRIPTION = "trafficrl.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Running mean and variance of observations, as VecNormalize keeps them; (features,)."""

    mean: list[float]
    var: list[float]
    count: float
    clip: float
    epsilon: float

    def apply(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """The observation as the policy was trained to see it."""
        scaled = (observation - np.array(self.mean)) / np.sqrt(np.array(self.var) + self.epsilon)
        cut: NDArray[np.float32] = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        return cut


@dataclass(frozen=True)
class LoadedModel:
    """A model read from its file: weights, and all that gives them a meaning."""

    file: Path
    algorithm: PPOConfig
    timesteps: int
    """Environment steps that it has learned from, over all runs of its lineage."""
    network_hash: str
    num_phases: list[int]
    """Of each signal."""
    num_features: int
    policy_layout: dict[str, Any]
    """Of `policy_layout()`."""
    normaliser: Normaliser | None
    policy_state: dict[str, torch.Tensor]
    optimizer_state: dict[str, Any]

    @property
    def observation(self) -> ObservationConfig:
        """What the policy sees."""
        return self.algorithm.observation

    @property
    def action(self) -> ActionConfig:
        """What the policy decides."""
        return self.algorithm.action

    def check_fits(self, network: Network) -> None:
        """Return when the model was trained for this network.

        Raises:
            CheckpointError: another network, with both hashes.
        """
        if self.network_hash != network.hash:
            raise CheckpointError(
                f"{self.file}: trained for the network {self.network_hash[:12]}, not for "
                f"{network.hash[:12]}: choose the network that it was trained on"
            )

    def act(self, observation: NDArray[np.float32]) -> NDArray[Any]:
        """The policy's most likely action for one observation (features,)."""
        if self.normaliser is not None:
            observation = self.normaliser.apply(observation)
        action, _ = self._policy.predict(observation, deterministic=True)
        return action

    @cached_property
    def _policy(self) -> ActorCriticPolicy:
        high, low = np.inf, -np.inf
        try:
            policy = policy_class(self.algorithm)(
                spaces.Box(low, high, (self.num_features,), np.float32),
                _action_space(self.action, self.num_phases),
                lambda progress: 0.0,
                **build_policy_arguments(self.algorithm, self.policy_layout),
            )
            policy.load_state_dict(self.policy_state)
        except (RuntimeError, TypeError, IndexError, ValueError) as error:
            raise CheckpointError(
                f"{self.file}: the weights do not fit their description: {_line(error)}"
            ) from error
        policy.set_training_mode(False)
        return policy


def use_one_thread() -> None:
    """This process computes policies on one thread: for single observations more only wait."""
    torch.set_num_threads(1)


def save_model(model: PPO, file: Path, *, algorithm: PPOConfig, network: Network) -> None:
    """The model is in the file, for Stable-Baselines3 and for us; or the file is as it was."""
    description = {
        "format": FORMAT,
        "algorithm": plain_values(algorithm),
        "timesteps": int(model.num_timesteps),
        "network_hash": network.hash,
        "num_phases": [len(signal.phases) for signal in network.signals],
        "num_features": int(np.prod(model.observation_space.shape or (0,))),
        "policy_layout": {
            name: model.policy_kwargs[name] for name in LAYOUT if name in model.policy_kwargs
        },
        "normaliser": _normaliser_values(model.get_vec_normalize_env()),
    }
    with replacing(file) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(DESCRIPTION, json.dumps(description))


def load_model(file: Path) -> LoadedModel:
    """The model of that file; no code in it is run.

    Raises:
        CheckpointError: no such file, no model of ours, or damaged.
    """
    if not file.is_file():
        raise CheckpointError(f"{file}: there is no such model file")
    try:
        with zipfile.ZipFile(file) as archive:
            if DESCRIPTION not in archive.namelist():
                raise CheckpointError(f"{file}: no trafficrl model ({DESCRIPTION} is missing)")
            described = json.loads(archive.read(DESCRIPTION))
            policy_state = _tensors(archive, "policy.pth")
            optimizer_state = _tensors(archive, "policy.optimizer.pth")
        normaliser = described["normaliser"]
        algorithm = to_algorithm(described["algorithm"])
        assert isinstance(algorithm, PPOConfig)
        return LoadedModel(
            file=file,
            algorithm=algorithm,
            timesteps=int(described["timesteps"]),
            network_hash=str(described["network_hash"]),
            num_phases=[int(number) for number in described["num_phases"]],
            num_features=int(described["num_features"]),
            policy_layout=dict(described["policy_layout"]),
            normaliser=Normaliser(**normaliser) if normaliser else None,
            policy_state=policy_state,
            optimizer_state=optimizer_state,
        )
    except DAMAGE as error:
        raise CheckpointError(f"{file}: the model is damaged: {_line(error)}") from error


DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
    RuntimeError,
    KeyError,
    TypeError,
    ValueError,
    EOFError,
    OSError,
    AssertionError,
    ConfigError,
)
"""What reading a damaged zip, JSON or tensor file raises."""


def restore_model(model: PPO, loaded: LoadedModel) -> None:
    """A fresh model goes on where the loaded one was: weights, optimiser, steps, normaliser.

    Raises:
        CheckpointError: the two do not have the same shape.
    """
    try:
        model.policy.load_state_dict(loaded.policy_state)
        model.policy.optimizer.load_state_dict(loaded.optimizer_state)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"{loaded.file}: does not fit this run: {_line(error)}") from error
    model.num_timesteps = loaded.timesteps
    environments = model.get_vec_normalize_env()
    if environments is not None and loaded.normaliser is not None:
        statistics = environments.obs_rms
        assert not isinstance(statistics, dict)
        statistics.mean = np.array(loaded.normaliser.mean)
        statistics.var = np.array(loaded.normaliser.var)
        statistics.count = loaded.normaliser.count


def _normaliser_values(environments: VecNormalize | None) -> dict[str, Any] | None:
    if environments is None or not environments.norm_obs:
        return None
    statistics = environments.obs_rms
    assert not isinstance(statistics, dict)
    return asdict(
        Normaliser(
            mean=statistics.mean.tolist(),
            var=statistics.var.tolist(),
            count=float(statistics.count),
            clip=float(environments.clip_obs),
            epsilon=float(environments.epsilon),
        )
    )


def _action_space(action: ActionConfig, num_phases: list[int]) -> spaces.Space[Any]:
    if action.kind is ActionKind.next_phase:
        return spaces.MultiDiscrete(num_phases)
    return spaces.Box(-LOGIT_LIMIT, LOGIT_LIMIT, (sum(num_phases),), np.float32)


def _tensors(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    values = torch.load(io.BytesIO(archive.read(name)), map_location="cpu", weights_only=True)
    assert isinstance(values, dict), f"{name} holds no state"
    return values


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
