"""Model files: Stable-Baselines3's own zip, with what is needed to read it without running code.

A zip holds `policy.pth` and `policy.optimizer.pth` (tensors, read with `weights_only`) and our
`trafficrl.json` (all else). Stable-Baselines3's pickled `data` is for its own loader; ours never
opens it.

`PPO.load(file)` gives the same policy, but knows no normaliser. Where the model was trained with
`normalize_observation`, it must be shown normalised observations:

    normaliser = load_model(file).normaliser
    action, _ = PPO.load(file).predict(normaliser.apply(observation), deterministic=True)
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy

from trafficrl.config.algorithm import ActionConfig, CommonPPOConfig, ObservationBase
from trafficrl.config.load import plain_values, to_algorithm
from trafficrl.config.shared_policy import SharedPPOConfig
from trafficrl.env.signal_observations import check_room
from trafficrl.errors import CheckpointError, NetworkError
from trafficrl.network.model import Network
from trafficrl.training.normaliser import Normaliser, RewardScale
from trafficrl.training.policies import LAYOUT, action_space, build_policy_arguments, policy_class

__all__ = [
    "LoadedModel",
    "load_model",
    "restore_model",
    "use_one_thread",
    "write_model",
]

DESCRIPTION, FORMAT = "trafficrl.json", 1


@dataclass(frozen=True)
class LoadedModel:
    """A model read from its file: weights, and all that gives them a meaning."""

    file: Path
    algorithm: CommonPPOConfig
    timesteps: int
    """Environment steps that it has learned from, over all runs of its lineage."""
    network_hash: str
    num_phases: list[int]
    """Of each signal."""
    num_features: int
    normaliser: Normaliser | None
    reward_scale: RewardScale | None
    policy: ActorCriticPolicy
    optimizer_state: dict[str, Any]

    @property
    def policy_state(self) -> dict[str, torch.Tensor]:
        """The weights by name."""
        return self.policy.state_dict()

    @property
    def observation(self) -> ObservationBase:
        """What the policy sees."""
        return self.algorithm.observation

    @property
    def action(self) -> ActionConfig:
        """What the policy decides."""
        return self.algorithm.action

    def check_fits(self, network: Network) -> None:
        """Return when the model can act on this network.

        Raises:
            CheckpointError: another network; for a shared policy, too many phases of a signal.
        """
        if isinstance(self.algorithm, SharedPPOConfig):
            try:
                check_room(network, self.algorithm.observation.max_phases)
            except NetworkError as error:
                raise CheckpointError(f"{self.file}: {error}") from error
        elif self.network_hash != network.hash:
            raise CheckpointError(
                f"{self.file}: trained for the network {self.network_hash[:12]}, not for "
                f"{network.hash[:12]}: choose the network that it was trained on"
            )

    def act(self, observation: NDArray[np.float32]) -> NDArray[Any]:
        """The most likely action for an observation (features,), or for each of (S, features)."""
        if self.normaliser is not None:
            observation = self.normaliser.apply(observation)
        action, _ = self.policy.predict(observation, deterministic=True)
        return action


def use_one_thread() -> None:
    """This process computes policies on one thread: for single observations more only wait."""
    torch.set_num_threads(1)


def write_model(
    model: PPO,
    file: Path,
    *,
    algorithm: CommonPPOConfig,
    network: Network,
    more: Callable[[zipfile.ZipFile], None] = lambda archive: None,
) -> None:
    """Write the model into the file, for Stable-Baselines3 and for us; `more` adds entries."""
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
        "normaliser": _values(Normaliser.of(model.get_vec_normalize_env())),
        "reward_scale": _values(RewardScale.of(model.get_vec_normalize_env())),
    }
    saved = io.BytesIO()  # on a full disk Stable-Baselines3 leaves its own file open
    model.save(saved)
    file.write_bytes(saved.getvalue())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(DESCRIPTION, json.dumps(description))
        more(archive)


def load_model(file: Path) -> LoadedModel:
    """The model of that file, whole and able to act; no code in it is run.

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
            if described["format"] != FORMAT:
                raise CheckpointError(
                    f"{file}: a model of format {described['format']}, but this version of "
                    f"trafficrl reads format {FORMAT}"
                )
            policy_state = _tensors(archive, "policy.pth")
            optimizer_state = _tensors(archive, "policy.optimizer.pth")
        return _build_model(file, described, policy_state, optimizer_state)
    except CheckpointError:
        raise
    # Every exception: what the readers of zip, JSON and tensors raise on damaged bytes has no end.
    except Exception as error:
        raise CheckpointError(f"{file}: the model is damaged: {_line(error)}") from error


def restore_model(model: PPO, loaded: LoadedModel) -> None:
    """A fresh model goes on where the loaded one was: weights, optimiser, steps, normalisation.

    Raises:
        CheckpointError: the two do not have the same shape.
    """
    optimizer = model.policy.optimizer
    try:
        model.policy.load_state_dict(loaded.policy_state)
        optimizer.load_state_dict(loaded.optimizer_state)
        for parameter, state in optimizer.state.items():
            if any(state[name].shape != parameter.shape for name in ("exp_avg", "exp_avg_sq")):
                raise ValueError("the optimiser's state has other shapes than the weights")
    # Every exception: the optimiser believes its state to be whole, and a file may hold anything.
    except Exception as error:
        raise CheckpointError(f"{loaded.file}: does not fit this run: {_line(error)}") from error
    model.num_timesteps = loaded.timesteps
    environments = model.get_vec_normalize_env()
    for statistics in (loaded.normaliser, loaded.reward_scale):
        if environments is not None and statistics is not None:
            statistics.restore(environments)


class NoOptimizer:
    """In place of one of torch's, the first of which takes a second: a loaded policy only acts."""

    def __init__(self, *arguments: Any, **options: Any) -> None: ...


def _build_model(
    file: Path,
    described: dict[str, Any],
    policy_state: dict[str, torch.Tensor],
    optimizer_state: dict[str, Any],
) -> LoadedModel:
    algorithm = to_algorithm(described["algorithm"])
    assert isinstance(algorithm, CommonPPOConfig)
    num_phases = [int(number) for number in described["num_phases"]]
    num_features = int(described["num_features"])
    normaliser, scale = described["normaliser"], described["reward_scale"]
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, only to be replaced
        policy = policy_class(algorithm)(
            spaces.Box(-np.inf, np.inf, (num_features,), np.float32),
            action_space(algorithm, num_phases),
            lambda progress: 0.0,
            optimizer_class=NoOptimizer,  # type: ignore[arg-type]
            **build_policy_arguments(algorithm, dict(described["policy_layout"])),
        )
    policy.load_state_dict(policy_state)
    policy.set_training_mode(False)
    for name, weights in policy.state_dict().items():
        if not weights.isfinite().all():
            raise ValueError(f"the weights {name} are not all finite numbers")
    model = LoadedModel(
        file=file,
        algorithm=algorithm,
        timesteps=int(described["timesteps"]),
        network_hash=str(described["network_hash"]),
        num_phases=num_phases,
        num_features=num_features,
        normaliser=None if normaliser is None else Normaliser(**normaliser),
        reward_scale=None if scale is None else RewardScale(**scale),
        policy=policy,
        optimizer_state=optimizer_state,
    )
    model.act(np.zeros(num_features, np.float32))  # whatever does not fit together shows now
    return model


def _tensors(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    values = torch.load(io.BytesIO(archive.read(name)), map_location="cpu", weights_only=True)
    assert isinstance(values, dict), f"{name} holds no state"
    return values


def _values(statistics: Normaliser | RewardScale | None) -> dict[str, Any] | None:
    return None if statistics is None else asdict(statistics)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
