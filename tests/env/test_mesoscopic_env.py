"""The environment on SUMO's mesoscopic model: other traffic, the same rules."""

import numpy as np
from env_cases import environment, episode

from trafficrl.config.execution import Simulator


def test_an_environment_in_the_mesoscopic_model_is_replayed_bit_for_bit() -> None:
    """What an exact resume of a training stands on."""
    changes = {"simulator": Simulator.meso, "end_s": 180.0}
    rng = np.random.default_rng(4)
    with environment(seed=1, **changes) as env:
        env.reset()
        space = env.action_space
        actions = [rng.uniform(0, 3, space.shape).astype(space.dtype) for _ in range(15)]
        taken = [env.step(action)[:2] for action in actions]
    with environment(seed=1, **changes) as env:
        assert env.replay(0, actions[:9]).tobytes() == taken[8][0].tobytes()
        for action, (observation, reward) in zip(actions[9:], taken[9:], strict=True):
            again = env.step(action)[:2]
            assert (again[0].tobytes(), again[1]) == (observation.tobytes(), reward)


def test_the_two_models_are_two_traffics_of_one_demand() -> None:
    with environment(seed=1, end_s=120.0) as env:
        spaces, driven = (env.observation_space, env.action_space), episode(env)
    with environment(seed=1, end_s=120.0, simulator=Simulator.meso) as env:
        assert (env.observation_space, env.action_space) == spaces
        queues = episode(env)
    assert [name for *_, name in queues] == [name for *_, name in driven]
    assert [reward for _, reward, _ in queues] != [reward for _, reward, _ in driven]
