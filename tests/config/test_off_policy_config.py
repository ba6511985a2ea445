"""Members and mistakes of the learners with a memory."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from composing import experiment

from trafficrl.config.algorithm import ActionConfig, ActionKind
from trafficrl.config.observation import ObservationConfig
from trafficrl.config.off_policy import DQNConfig, OffPolicyConfig, SACConfig, TD3Config
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.errors import ConfigError
from trafficrl.training.schedules import exploration_schedule


@cache
def member(name: str) -> OffPolicyConfig:
    algorithm = experiment(f"algorithm={name}").algorithm
    assert isinstance(algorithm, OffPolicyConfig)
    return algorithm


@pytest.mark.parametrize(
    ("name", "kind", "action"),
    [
        ("td3_default", TD3Config, ActionKind.phase_durations),
        ("sac_default", SACConfig, ActionKind.phase_durations),
        ("dqn", DQNConfig, ActionKind.next_phase),
    ],
)
def test_members_are_what_they_say(
    name: str, kind: type[OffPolicyConfig], action: ActionKind
) -> None:
    assert type(member(name)) is kind
    assert member(name).action.kind is action


PHASES = ActionConfig(kind=ActionKind.next_phase)
DURATIONS = ActionConfig(kind=ActionKind.phase_durations)


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        ("td3_default", "action", PHASES, "kind=td3 .* set algorithm.action.kind=phase_durations"),
        ("sac_default", "action", PHASES, "kind=sac .* set algorithm.action.kind=phase_durations"),
        ("dqn", "action", DURATIONS, "kind=dqn .* set algorithm.action.kind=next_phase"),
        ("dqn", "observation", SignalObservationConfig(), "phase_features is empty"),
        ("td3_default", "observation", ObservationConfig(), "names no feature at all"),
        ("td3_default", "learning_starts", 100_001, "learning would never start"),
        ("td3_default", "buffer_size", 0, "algorithm.buffer_size"),
        ("td3_default", "gradient_steps", -1, "algorithm.gradient_steps"),
        ("td3_default", "tau", 2, "algorithm.tau"),
        ("td3_default", "policy_delay", 0, "algorithm.policy_delay"),
        ("td3_default", "action_noise", -1, "algorithm.action_noise"),
        ("sac_default", "ent_coef", 0, "algorithm.ent_coef"),
        ("dqn", "exploration_final", 1.5, "algorithm.exploration_final"),
        ("dqn", "target_update_interval", 0, "algorithm.target_update_interval"),
        ("dqn", "n_steps", 0, "algorithm.n_steps"),
        ("dqn", "net_arch", [], "algorithm.net_arch"),
    ],
)
def test_a_mistake_names_its_key_in_one_line(name: str, key: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        replace(member(name), **{key: value})
    assert "\n" not in str(error.value)


def test_exploration_falls_within_its_share_of_the_training() -> None:
    algorithm = member("dqn")
    assert isinstance(algorithm, DQNConfig)
    chosen = replace(
        algorithm, exploration_initial=1, exploration_final=0.2, exploration_fraction=0.5
    )
    rate = exploration_schedule(chosen, total_timesteps=1000)
    assert [rate(steps) for steps in (0, 250, 500, 1000)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
