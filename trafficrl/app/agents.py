"""The decision problem of a configuration with a signal an agent, as PettingZoo has it.

    from trafficrl.app.agents import parallel_env

    env = parallel_env(["network=grid3"])

It needs PettingZoo: `pip install 'trafficrl[pettingzoo]'`.
"""

from collections.abc import Sequence

from trafficrl.app.compose import compose_experiment, compose_task
from trafficrl.env.parallel_env import SignalsParallelEnv

__all__ = ["parallel_env"]


def parallel_env(overrides: Sequence[str] = ()) -> SignalsParallelEnv:
    """The environment of these overrides of `trafficrl-train`.

    Raises:
        ConfigError: an override that is unknown, malformed or fails a check, or an algorithm that
            does not choose phases from what each signal sees.
        NetworkError: the network cannot be built, or has a signal of too many phases.
        DemandError: a given demand cannot be driven on it.
    """
    config = compose_experiment(overrides)
    return SignalsParallelEnv(compose_task(config), seed=config.seed)
