"""Environments by configuration, as users of Gymnasium and PettingZoo ask for them."""

import warnings

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

from trafficrl.app.agents import parallel_env
from trafficrl.app.environments import ENVIRONMENT_ID
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import ConfigError

SMALL = [
    "scenarios.morning.num_vehicles=20",
    "execution.end_time=180",
    "seed=3",
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [*SMALL, f"execution.cache_dir={tmp_path_factory.mktemp('cache')}"]


@pytest.mark.parametrize("algorithm", ["ppo_quick", "ppo_default"])
def test_gymnasium_makes_it_and_finds_nothing_to_say(small: list[str], algorithm: str) -> None:
    env = gymnasium.make(ENVIRONMENT_ID, overrides=[*small, f"algorithm={algorithm}"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Softmax needs numbers wider than -1..1.
        warnings.filterwarnings("ignore", message=".*symmetric and normalized space.*")
        check_env(env.unwrapped)
    env.close()


def test_the_configured_seed_counts_until_another_is_given(small: list[str]) -> None:
    seen = []
    for overrides, seed in ((small, None), ([*small, "seed=4"], None), (small, 4)):
        env = gymnasium.make(ENVIRONMENT_ID, overrides=overrides)
        env.reset(seed=seed)
        assert isinstance(env.unwrapped, TrafficSignalEnv)
        observation, reward, *_ = env.step(env.action_space.sample() * 0)
        seen.append([*observation.tolist(), reward])
        env.close()
    assert seen[0] != seen[1] == seen[2]


def test_agents_are_the_signals_of_the_configured_network(small: list[str]) -> None:
    env = parallel_env([*small, "algorithm.observation.max_phases=5"])
    observations, infos = env.reset()
    assert len(env.agents) == 9
    assert set(observations) == set(infos) == set(env.possible_agents)
    assert {len(seen["observation"]) for seen in observations.values()} == {5 + 5 + 5 * 15 + 4}
    env.close()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("network=moon", "network: unknown 'moon'"),
        ("seed=-1", "seed"),
        ("algorithm.gamma=2", r"algorithm\.gamma"),
        ("nonsense", "nonsense"),
        ("algorithm=ppo_quick", "algorithm=ppo_shared"),
    ],
)
def test_a_mistake_is_one_line(small: list[str], override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        parallel_env([*small, override])
    assert "\n" not in str(error.value)
