"""The shared policy and the rewards of single signals, as the command line gives them."""

import pytest
from composing import experiment

from trafficrl.config.algorithm import ActionKind, PhaseOrder
from trafficrl.config.reward import LocalRewardConfig
from trafficrl.config.shared_policy import SharedPPOConfig
from trafficrl.errors import ConfigError


def test_its_member_sees_signals_and_chooses_phases() -> None:
    config = experiment("algorithm=ppo_shared", "reward=local_queue", "reward.neighbour_share=0.3")
    assert isinstance(config.algorithm, SharedPPOConfig)
    assert isinstance(config.reward, LocalRewardConfig)
    assert config.algorithm.action.kind is ActionKind.next_phase
    assert config.algorithm.observation.max_phases == 8
    assert config.reward.neighbour_share == 0.3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "algorithm.action.kind=phase_durations",
            "algorithm.kind=ppo_shared chooses phases: set algorithm.action.kind=next_phase",
        ),
        (
            "algorithm.observation.phase_features=[queue]",
            r"algorithm.observation.phase_features: unknown 'queue'.*'phase_queue'",
        ),
        (
            "algorithm.observation.signal_features=[phase_age,phase_age]",
            "algorithm.observation.signal_features: a feature is named twice",
        ),
        (
            "algorithm.observation.value_features=[backlog]",
            r"algorithm.observation.value_features: unknown 'backlog'.*'network_backlog'",
        ),
        ("algorithm.observation.phase_features=[]", "phase_features is empty: name at least one"),
        ("algorithm.observation.max_phases=1", "algorithm.observation.max_phases must be"),
        ("reward.neighbour_share=-1", "reward.neighbour_share must be"),
        ("reward.floor=nan", "reward.floor must be finite or null, got nan"),
        ("+reward.terms={speed_kmh:{weight:1}}", "reward.terms: unknown 'speed_kmh'"),
    ],
)
def test_what_it_cannot_be_is_said_in_one_line(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        experiment("algorithm=ppo_shared", "reward=local_queue", override)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("member", ["ppo_shared", "dqn"])
def test_phases_may_be_kept_in_the_order_of_the_plan(member: str) -> None:
    config = experiment(f"algorithm={member}", "algorithm.action.order=cycle")
    assert config.algorithm.action.order is PhaseOrder.cycle
    assert experiment(f"algorithm={member}").algorithm.action.order is PhaseOrder.any


def test_a_value_that_acts_has_no_features_of_its_own() -> None:
    with pytest.raises(ConfigError, match=r"value_features are for a value beside the policy"):
        experiment("algorithm=dqn", "algorithm.observation.value_features=[network_queue]")


@pytest.mark.parametrize("member", ["ppo_default", "ppo_quick", "td3_default", "sac_default"])
def test_an_order_that_nothing_would_keep_is_refused(member: str) -> None:
    with pytest.raises(ConfigError, match=r"algorithm\.action\.order=cycle is for policies"):
        experiment(f"algorithm={member}", "algorithm.action.order=cycle")
