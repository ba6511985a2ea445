"""What a training takes, measured by a few of its steps and reckoned for the whole."""

from pathlib import Path

import pytest
from learning_cases import ALGORITHM, EXECUTION, learner
from off_policy_cases import DQN, SAC, TD3, off_policy_learner

from trafficrl.config.off_policy import OffPolicyConfig
from trafficrl.training.effort import Effort
from trafficrl.training.probe import probe_training

MIB = 1 << 20
DECISIONS = 6
"""Of an episode of the small task: 60 s, one each 10 s."""


def effort(**changes: object) -> Effort:
    values = {
        "parameters": 10,
        "steps_s": (1.0, 2.0, 3.0, 6.0),
        "begin_s": 5.0,
        "whole_episode": False,
        "gradient_s": 0.5,
        "update_steps": 8,
        "update_gradients": 3,
        "idle_updates": 0,
        "num_envs": 2,
        "learner_bytes": 0,
        "experience_bytes": 0,
        "environment_bytes": 0,
        "together_bytes": 0,
        "simulation_bytes": 0,
    }
    return Effort(**(values | changes))  # type: ignore[arg-type]


def test_the_rest_of_an_episode_is_as_slow_as_the_last_steps() -> None:
    assert effort().episode_s(10) == 5.0 + 12.0 + 6 * 6.0
    # 20 steps come with the whole update that holds them: 24, of 2 environments, 10 an episode.
    assert effort().rollout_s(20, 10) == pytest.approx(24 / 2 / 10 * 53.0)
    assert effort(whole_episode=True).episode_s(10) == 12.0
    assert effort(whole_episode=True).rollout_s(20, 10) == pytest.approx(24 / 2 / 4 * 12.0)


def test_updates_take_time_once_there_is_enough_to_learn_from() -> None:
    assert effort().update_s(20) == 3 * 3 * 0.5
    assert effort(idle_updates=2).update_s(20) == 3 * 0.5
    assert effort(idle_updates=9).update_s(20) == 0.0


def test_processes_are_measured_as_they_are(tmp_path: Path) -> None:
    execution = type(EXECUTION)(**(vars(EXECUTION) | {"single_env": False, "parallel_envs": 1}))
    with learner(tmp_path, execution=execution) as model:
        found = probe_training(model, ALGORITHM, total_timesteps=100)
        assert found.parameters == sum(part.numel() for part in model.policy.parameters())
    assert found.whole_episode
    assert len(found.steps_s) == DECISIONS
    assert (found.num_envs, found.update_steps) == (1, 8)
    assert found.update_gradients == 2  # epochs, of a batch each
    assert 0 < found.gradient_s < 1
    assert found.environment_bytes > 30 * MIB
    assert found.together_bytes > found.learner_bytes // 4
    assert 0 <= found.simulation_bytes < found.environment_bytes


def test_steps_end_when_patience_is_over(tmp_path: Path) -> None:
    with learner(tmp_path) as model:
        found = probe_training(model, ALGORITHM, total_timesteps=100, patience_s=0.0)
    assert (len(found.steps_s), found.whole_episode) == (1, False)
    assert found.environment_bytes == 0  # it is in the learner's process


@pytest.mark.parametrize("algorithm", [TD3, SAC, DQN], ids=["td3", "sac", "dqn"])
def test_learners_with_a_memory_are_measured_alike(
    tmp_path: Path, algorithm: OffPolicyConfig
) -> None:
    with off_policy_learner(tmp_path, algorithm) as model:
        found = probe_training(model, algorithm, total_timesteps=100)
        targets = sum(
            part.numel() for name, part in model.policy.named_parameters() if "target" in name
        )
        learned = sum(part.numel() for part in model.policy.parameters()) - targets
        filled = model.replay_buffer
        assert filled is not None
        assert found.experience_bytes >= filled.observations.nbytes + filled.rewards.nbytes
    assert found.parameters == learned + (algorithm is SAC)  # and the worth of its entropy
    assert found.update_gradients == found.update_steps == 4
    assert found.idle_updates == 1  # 5 decisions are needed, an update follows on 4
    assert found.whole_episode
    assert 0 < found.gradient_s < 1
