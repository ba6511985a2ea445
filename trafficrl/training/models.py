"""Model files: Stable-Baselines3's own zip, with what is needed to read it without running code.

A zip holds `policy.pth`, its optimisers and what else is learned (tensors, read with
`weights_only`) and our `trafficrl.json` (all else). Stable-Baselines3's pickled `data` is for its
own loader; ours never opens it.

`PPO.load(file)` gives the same policy, but knows no normaliser. Where the model was trained with
`normalize_observation`, it must be shown normalised observations:

    normaliser = load_model(file).normaliser
    action, _ = PPO.load(file).predict(normaliser.apply(observation), deterministic=True)
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from trafficrl.config.algorithm import LearnerConfig
from trafficrl.config.load import plain_values, to_algorithm
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.signal_observations import check_room
from trafficrl.errors import CheckpointError, NetworkError
from trafficrl.network.model import Network
from trafficrl.training.distributions import spare_checks
from trafficrl.training.normaliser import Normaliser, RewardScale
from trafficrl.training.parts import (
    Learner,
    optimizer_names,
    variable_names,
)
from trafficrl.training.policies import LAYOUT, action_space, build_policy_arguments, policy_class

__all__ = ["LoadedModel", "error_line", "load_model", "use_one_thread", "write_model"]

DESCRIPTION, FORMAT = "trafficrl.json", 1


@dataclass(frozen=True)
class LoadedModel:
    """A model read from its file: weights, and all that gives them a meaning."""

    file: Path
    algorithm: LearnerConfig = field(repr=False)
    timesteps: int
    """Environment steps that it has learned from, over all runs of its lineage."""
    network_hash: str
    num_phases: list[int]
    """Of each signal."""
    num_features: int
    normaliser: Normaliser | None = field(repr=False)
    reward_scale: RewardScale | None = field(repr=False)
    policy: BasePolicy = field(repr=False)
    optimizer_states: dict[str, dict[str, Any]] = field(repr=False)
    """Of each optimiser, by its name in Stable-Baselines3."""
    variables: dict[str, torch.Tensor] = field(repr=False)
    """What else was learned, by such names."""

    @property
    def policy_state(self) -> dict[str, torch.Tensor]:
        """The weights by name."""
        return self.policy.state_dict()

    def check_fits(self, network: Network) -> None:
        """Return when the model can act on this network.

        Raises:
            CheckpointError: another network; for a shared policy, too many phases of a signal.
        """
        if isinstance(self.algorithm.observation, SignalObservationConfig):
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
    model: Learner,
    file: Path,
    *,
    algorithm: LearnerConfig,
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
            return _build_model(file, described, archive)
    except CheckpointError:
        raise
    # Every exception: what the readers of zip, JSON and tensors raise on damaged bytes has no end.
    except Exception as error:
        raise CheckpointError(f"{file}: the model is damaged: {error_line(error)}") from error


class NoOptimizer:
    """In place of one of torch's, the first of which takes a second: a loaded policy only acts."""

    def __init__(self, *arguments: Any, **options: Any) -> None: ...


def _build_model(file: Path, described: dict[str, Any], archive: zipfile.ZipFile) -> LoadedModel:
    algorithm = to_algorithm(described["algorithm"])
    assert isinstance(algorithm, LearnerConfig)
    num_phases = [int(number) for number in described["num_phases"]]
    num_features = int(described["num_features"])
    normaliser, scale = described["normaliser"], described["reward_scale"]
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, only to be replaced
        policy = policy_class(algorithm)(
            spaces.Box(-np.inf, np.inf, (num_features,), np.float32),
            action_space(algorithm, num_phases),
            lambda progress: 0.0,
            optimizer_class=NoOptimizer,
            **build_policy_arguments(algorithm, dict(described["policy_layout"])),
        )
    spare_checks(policy)
    policy.load_state_dict(_tensors(archive, "policy.pth"))
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
        optimizer_states={
            name: _tensors(archive, f"{name}.pth") for name in optimizer_names(algorithm)
        },
        variables=_variables(archive, variable_names(algorithm)),
    )
    model.act(np.zeros(num_features, np.float32))  # whatever does not fit together shows now
    return model


def _variables(archive: zipfile.ZipFile, names: list[str]) -> dict[str, torch.Tensor]:
    if not names:
        return {}
    found = _tensors(archive, "pytorch_variables.pth")
    values = {name: found[name].detach() for name in names}
    if not all(value.isfinite().all() for value in values.values()):
        raise ValueError(f"{', '.join(names)} are not all finite numbers")
    return values


def _tensors(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    values = torch.load(io.BytesIO(archive.read(name)), map_location="cpu", weights_only=True)
    assert isinstance(values, dict), f"{name} holds no state"
    return values


def _values(statistics: Normaliser | RewardScale | None) -> dict[str, Any] | None:
    return None if statistics is None else asdict(statistics)


def error_line(error: Exception) -> str:
    """Its type and message on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
