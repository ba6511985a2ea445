"""Stable-Baselines3's PPO for one experiment, new or going on from a model."""

import re
from pathlib import Path
from typing import Any

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from trafficrl.config.algorithm import CommonPPOConfig, LearnerConfig
from trafficrl.config.load import plain_values
from trafficrl.env.task import Task
from trafficrl.errors import CheckpointError, ConfigError, unknown_name
from trafficrl.network.model import Network
from trafficrl.runs.registry import ModelRegistry, find_registered
from trafficrl.runs.run_models import newest_model
from trafficrl.runs.sidecars import sidecar_file, verify_model
from trafficrl.training.distributions import spare_checks
from trafficrl.training.kickstart import KickstartedPPO, TaughtRolloutBuffer
from trafficrl.training.models import LoadedModel, load_model
from trafficrl.training.parts import Learner
from trafficrl.training.policies import build_policy_arguments, policy_class, policy_layout
from trafficrl.training.processes import inner_environments
from trafficrl.training.restoring import restore_model

__all__ = ["build_ppo", "check_device", "find_model", "load_ancestor", "resume_ppo"]


def build_ppo(
    config: CommonPPOConfig, environments: VecEnv, task: Task, *, seed: int, device: str
) -> PPO:
    """A learner that has learned nothing yet; its weights follow from the seed.

    Raises:
        ConfigError: a batch that does not fit the rollout, or a device that is not there.
    """
    num_envs = inner_environments(environments).num_envs
    rollout = config.n_steps * num_envs
    if config.batch_size > rollout:
        raise ConfigError(
            f"algorithm.batch_size must be <= n_steps * environments = {config.n_steps} * "
            f"{num_envs} = {rollout} transitions, got {config.batch_size}"
        )
    check_device(device)
    policy = policy_class(config)
    assert issubclass(policy, ActorCriticPolicy)
    taught = config.kickstart.teacher is not None
    kind = KickstartedPPO if taught else PPO
    model = kind(
        policy,
        environments,
        learning_rate=config.learning_rate,
        n_steps=config.n_steps,
        batch_size=config.batch_size * (environments.num_envs // num_envs),
        n_epochs=config.n_epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip_range,
        ent_coef=config.ent_coef,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs=build_policy_arguments(config, policy_layout(config, task)),
        seed=seed,
        device=device,
        rollout_buffer_class=TaughtRolloutBuffer if taught else None,
    )
    spare_checks(model.policy)
    if isinstance(model, KickstartedPPO):
        model.num_phases = [len(signal.phases) for signal in task.network.signals]
    return model


def resume_ppo(
    model: Learner, loaded: LoadedModel, config: LearnerConfig, network: Network
) -> None:
    """The fresh model goes on with weights, optimiser and step count of the loaded one.

    Raises:
        CheckpointError: it was trained for another network, observation, action or net.
    """
    loaded.check_fits(network)
    before, now = shaping_values(loaded.algorithm), shaping_values(config)
    for name, value in before.items():
        if value != now.get(name):
            raise CheckpointError(
                f"resume_from {loaded.file}: {name} was {value}, now it is {now.get(name)}"
            )
    restore_model(model, loaded)


SHAPING = (
    *("kind", "policy", "observation", "action"),
    *("net_arch", "activation", "normalize_observation"),
)
"""What of an algorithm decides a model's shapes, and what the numbers mean that go in and out."""


def shaping_values(config: LearnerConfig) -> dict[str, Any]:
    """The values of `SHAPING` by their full key."""
    values = plain_values(config)
    flat: dict[str, Any] = {}
    for name in filter(values.__contains__, SHAPING):
        inner = values[name] if isinstance(values[name], dict) else {"": values[name]}
        flat |= {f"algorithm.{name}.{key}".rstrip("."): value for key, value in inner.items()}
    return flat


def find_model(given: str, registry: Path) -> Path:
    """The model file that `resume_from` means.

    Args:
        given: a model file, a run folder, whose final or newest model counts, or the name of a
            model, `NAME@TAG` or `NAME`.
        registry: folder where models have their names.

    Raises:
        CheckpointError: there is none, or what has the name is damaged.
    """
    path = Path(given)
    if path.is_dir():
        newest = newest_model(path)
        if newest is None:
            raise CheckpointError(
                f"resume_from: {path} holds no final_model.zip and no whole checkpoints"
            )
        return newest
    if path.is_file() or path.suffix == ".zip":
        return path
    named = find_registered(given, registry)
    if named is None:
        choices = [*ModelRegistry(registry).labels(), "PATH/model.zip", "RUN_FOLDER"]
        raise CheckpointError(unknown_name("resume_from", given, choices))
    return named


def load_ancestor(given: str, registry: Path) -> LoadedModel:
    """What `resume_from` means; a model that has a sidecar is the one that this tells of.

    Raises:
        CheckpointError: it is missing, damaged, or another one.
    """
    file = find_model(given, registry)
    if sidecar_file(file).is_file():
        verify_model(file)
    return load_model(file)


DEVICES = "choices: auto, cpu, cuda, cuda:N"


def check_device(device: str) -> None:
    """Return when torch can learn on the device.

    Raises:
        ConfigError: an unknown or absent device.
    """
    where = f"execution.device={device}"
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ConfigError(f"{where}: no such device; {DEVICES}")
    if device == "auto":
        return
    try:
        torch.empty(1, device=device)
    # torch has no common error for a device that is absent (RuntimeError), or left out of its
    # build (AssertionError): both mean that the user's choice cannot be met.
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"{where}: {str(error).splitlines()[0]}; {DEVICES}") from error
