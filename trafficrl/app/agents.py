"""The decision problem of a configuration with a signal an agent, as PettingZoo has it.

    from trafficrl.app.agents import parallel_env

    env = parallel_env(["algorithm=ppo_shared", "reward=local_queue", "network=grid3"])

It needs PettingZoo: `pip install 'trafficrl[pettingzoo]'`.
"""

from collections.abc import Sequence

from trafficrl.app.compose import compose_experiment, compose_task
from trafficrl.env.parallel_env import SignalsParallelEnv

__all__ = ["parallel_env"]

BY_SIGNAL = ("algorithm=ppo_shared", "reward=local_queue")
"""Come first, so that the user's own overrides win."""


def parallel_env(overrides: Sequence[str] = ()) -> SignalsParallelEnv:
    """The environment of these overrides of `trafficrl-train`, which win over `BY_SIGNAL`.

    Raises:
        ConfigError: an override that is unknown, malformed or fails a check, or an algorithm that
            does not choose phases from what each signal sees.
        NetworkError: the network cannot be built, or has a signal of too many phases.
        DemandError: a given demand cannot be driven on it.
    """
    config = compose_experiment([*BY_SIGNAL, *overrides])
    return SignalsParallelEnv(compose_task(config), seed=config.seed)
