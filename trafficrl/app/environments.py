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

import gymnasium

from trafficrl.app.compose import compose_experiment, compose_task
from trafficrl.env.traffic_env import TrafficSignalEnv

__all__ = ["ENVIRONMENT_ID", "compose_experiment", "make_environment"]

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


gymnasium.register(ENVIRONMENT_ID, entry_point=f"{__name__}:make_environment")
