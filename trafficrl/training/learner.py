"""The learner of an experiment: environments running, model new or going on from another."""

import logging
from pathlib import Path

import torch
from stable_baselines3.common.vec_env import VecEnv

from trafficrl.config.algorithm import CommonPPOConfig, LearnerConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.off_policy import OffPolicyConfig
from trafficrl.env.task import Task
from trafficrl.runs.processors import processors
from trafficrl.runs.seeding import stream
from trafficrl.training.off_policy import build_off_policy
from trafficrl.training.parts import Learner
from trafficrl.training.ppo import build_ppo, load_ancestor, resume_ppo
from trafficrl.training.vector import build_vector_env

__all__ = ["build_learner", "build_model"]

log = logging.getLogger(__name__)


def build_learner(
    config: ExperimentConfig, task: Task, folder: Path, *, again: bool = False
) -> Learner:
    """A learner on running environments: new, or going on from `resume_from`.

    Args:
        config: the experiment.
        task: what is learned.
        folder: where the environments keep their demand files.
        again: a checkpoint of the run itself will be restored: `resume_from` has been learned from.

    Raises:
        ConfigError: a batch or device that cannot be had.
        CheckpointError: a model that is missing, damaged or does not fit.
        TrafficRLError: what an environment raised at its start.
    """
    algorithm = config.algorithm
    assert isinstance(algorithm, LearnerConfig), f"no learner for algorithm.kind {algorithm.kind}"
    torch.set_num_threads(config.execution.torch_threads or processors())
    path, registry = config.resume_from, Path(config.execution.models_dir)
    loaded = None if path is None or again else load_ancestor(path, registry)
    # A learner hands its seed on to the environments: a training that goes on sees new episodes.
    timesteps = 0 if loaded is None else loaded.timesteps
    seed = int(stream(config.seed, "policy", timesteps).integers(2**31 - 1))
    teacher = algorithm.kickstart.teacher if isinstance(algorithm, CommonPPOConfig) else None
    environments = build_vector_env(
        task, algorithm, config.execution, seed=seed, folder=folder, teacher=teacher
    )
    try:
        device = config.execution.device
        model = build_model(algorithm, environments, task, seed=seed, device=device)
        if loaded is not None:
            resume_ppo(model, loaded, algorithm, task.network)
            log.info("going on from %s at %d steps", loaded.file, loaded.timesteps)
    except BaseException:
        environments.close()
        raise
    return model


def build_model(
    config: LearnerConfig, environments: VecEnv, task: Task, *, seed: int, device: str
) -> Learner:
    """A learner of that kind, on environments that run.

    Raises:
        ConfigError: a batch, memory or device that cannot be had.
    """
    if isinstance(config, OffPolicyConfig):
        return build_off_policy(config, environments, task, seed=seed, device=device)
    assert isinstance(config, CommonPPOConfig)
    return build_ppo(config, environments, task, seed=seed, device=device)
