"""The decision problem of a configuration as an environment, for learners of other libraries.

Importing this module registers `trafficrl/TrafficSignals-v0` with Gymnasium:

    import gymnasium
    import trafficrl.app.environments

    env = gymnasium.make("trafficrl/TrafficSignals-v0", overrides=["network=grid3", "seed=7"])

Overrides are those of `trafficrl-train`; the network, the scenarios, `algorithm.observation`,
`algorithm.action`, the reward, the simulation and `execution.end_time` count, and the seed unless
`reset` gives another. In one process only one SUMO runs at a time; with
`execution.backend=traci` as many as there are environments.

For each signal as an agent of its own see `trafficrl.app.agents`.
"""

from collections.abc import Sequence
from pathlib import Path

import gymnasium
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from trafficrl.app.build import task_on
from trafficrl.app.hydra_errors import explain_composition
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.inputs import locate
from trafficrl.config.load import to_experiment
from trafficrl.config.store import conf_dir, register_configs
from trafficrl.env.task import Task
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError
from trafficrl.network.build import build_network

__all__ = ["ENVIRONMENT_ID", "compose_experiment", "compose_task", "make_environment"]

ENVIRONMENT_ID = "trafficrl/TrafficSignals-v0"


def make_environment(overrides: Sequence[str] = ()) -> TrafficSignalEnv:
    """The environment that `trafficrl-train` would learn in for these overrides.

    Raises:
        ConfigError: an override that is unknown, malformed or fails a check.
        NetworkError: the network cannot be built.
        DemandError: a given demand cannot be driven on it.
    """
    config = compose_experiment(overrides)
    return TrafficSignalEnv(compose_task(config), seed=config.seed)


def compose_experiment(overrides: Sequence[str] = ()) -> ExperimentConfig:
    """The checked configuration of `trafficrl-train` for these overrides.

    Raises:
        ConfigError: an override that is unknown, malformed or fails a check.
    """
    register_configs()
    try:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            composed = compose("train", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain_composition(error)) from error
    return locate(to_experiment(composed), [Path.cwd()])


def compose_task(config: ExperimentConfig) -> Task:
    """The decision problem of the experiment; its network lies in `execution.cache_dir`.

    Raises:
        NetworkError: the network cannot be built.
        DemandError: a given demand cannot be driven on it.
    """
    return task_on(config, build_network(config.network, Path(config.execution.cache_dir)))


gymnasium.register(ENVIRONMENT_ID, entry_point=f"{__name__}:make_environment")
