"""Every member composes; the published ones hold the published values; the later group wins."""

from pathlib import Path

import pytest
from composing import experiment

from trafficrl.config.algorithm import Activation, LearningRateSchedule, PPOConfig
from trafficrl.config.execution import Score
from trafficrl.config.experiment import EvaluateConfig
from trafficrl.config.load import load_experiment, save_experiment
from trafficrl.config.network import GridConfig
from trafficrl.config.reward import TermConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.config.store import GROUPS, members
from trafficrl.errors import ConfigError

NEEDED_FILES = {
    ("network", "net_file"): "network.file",
    ("network", "osm"): "network.file",
    ("scenarios", "route_file"): "scenarios.route_file.file",
}
ALL_MEMBERS = [(group, member) for group in GROUPS for member in members(group)]


@pytest.mark.parametrize(("group", "member"), ALL_MEMBERS)
def test_every_member_composes_and_comes_back_from_its_file(
    group: str, member: str, tmp_path: Path
) -> None:
    needed = NEEDED_FILES.get((group, member), "seed")
    given = tmp_path / "given.xml"
    given.touch()
    composed = experiment(f"{group}={member}", *([f"{needed}={given}"] if "." in needed else []))
    path = tmp_path / "resolved_config.yaml"
    save_experiment(composed, path)
    assert load_experiment(path) == composed
    assert set(tmp_path.iterdir()) == {path, given}


@pytest.mark.parametrize(("group", "member"), list(NEEDED_FILES))
def test_a_member_for_files_says_which_key_wants_one(group: str, member: str) -> None:
    key = NEEDED_FILES[group, member]
    with pytest.raises(ConfigError, match=f"{key}: a value is mandatory; set {key}=VALUE"):
        experiment(f"{group}={member}")


def test_the_published_experiment_has_the_published_values() -> None:
    config = experiment(
        "network=grid6_realistic",
        "scenarios=heavy_load",
        "algorithm=ppo_default",
        "reward=empirical",
        "execution=long_run",
    )
    network, algorithm = config.network, config.algorithm
    assert isinstance(network, GridConfig)
    assert isinstance(algorithm, PPOConfig)
    assert (network.network_seed, network.grid_dimension, network.junctions_to_remove) == (
        (24208, 6, 2)
    )
    assert (network.block_size_m, network.lane_count) == (280, "realistic")
    assert (network.step_length, network.land_use_block_size_m) == (1.0, 25.0)
    realtime = config.scenarios["heavy_realtime_s1"]
    mixed = config.scenarios["heavy_mixed_s1"]
    assert isinstance(realtime, GeneratedScenarioConfig)
    assert isinstance(mixed, GeneratedScenarioConfig)
    assert (realtime.num_vehicles, mixed.num_vehicles) == (22000, 25000)
    assert (realtime.private_traffic_seed, realtime.public_traffic_seed) == (72632, 27031)
    assert (mixed.private_traffic_seed, mixed.public_traffic_seed) == (41893, 55102)
    assert {name: share for name, share in realtime.routing_strategy.items() if share} == (
        {"realtime": 100.0}
    )
    assert realtime.vehicle_types == {"passenger": 100.0, "public": 0.0}
    assert realtime.passenger_routes == {"in": 0.0, "out": 0.0, "inner": 100.0, "pass": 0.0}
    assert {name: share for name, share in mixed.routing_strategy.items() if share} == (
        {"shortest": 70.0, "realtime": 30.0}
    )
    assert mixed.vehicle_types == {"passenger": 90.0, "public": 10.0}
    assert (realtime.start_time_hour, mixed.start_time_hour) == (8.0, 7.0)
    assert len(config.scenarios) == 3
    assert (algorithm.learning_rate, algorithm.lr_final, algorithm.lr_decay_rate) == (
        (1e-4, 5e-6, 0.99995)
    )
    assert algorithm.lr_schedule is LearningRateSchedule.exponential
    assert (algorithm.batch_size, algorithm.n_steps, algorithm.n_epochs) == (2048, 4096, 5)
    assert (algorithm.gamma, algorithm.gae_lambda, algorithm.clip_range) == (0.995, 0.98, 0.2)
    assert (algorithm.ent_schedule, algorithm.ent_initial, algorithm.ent_final) == (
        (True, 0.02, 0.001)
    )
    assert (algorithm.ent_coef, algorithm.ent_decay_steps) == (0.01, 500_000)
    assert (algorithm.max_grad_norm, algorithm.log_std_init) == (0.5, -1.0)
    assert (algorithm.net_arch, algorithm.activation) == ([256, 256], Activation.relu)
    assert config.reward.terms == {
        "waiting_time_s": TermConfig(weight=-0.45, mean=38.01, std=11.12),
        "speed_kmh": TermConfig(weight=0.35, mean=5.74, std=2.73),
        "queue_per_lane_veh": TermConfig(weight=-0.20, mean=2.38, std=0.71),
        "throughput_vps": TermConfig(weight=0.2),
    }
    run = config.execution
    assert (run.total_timesteps, run.checkpoint_freq, run.eval_freq) == (500_000, 50_000, 50_000)
    assert (run.early_stopping_patience, run.early_stopping_min_delta) == (10, 70.0)
    assert (run.end_time, run.parallel_envs, run.single_env) == (7200.0, 8, False)
    assert run.score is Score.reward


def test_members_of_scenarios_are_mixed_and_a_name_is_one_scenario() -> None:
    found = [member for member in members("scenarios") if member != "route_file"]
    apart = [experiment(f"scenarios={member}").scenarios for member in found]
    together = experiment(f"scenarios=[{','.join(found)}]").scenarios
    assert list(together) == list(dict.fromkeys(name for one in apart for name in one))
    for one in apart:
        assert one == {name: together[name] for name in one}


def test_evaluate_adds_the_controllers() -> None:
    config = experiment("controllers=[fixed,a.zip]", config_name="evaluate")
    assert isinstance(config, EvaluateConfig)
    assert config.controllers == ["fixed", "a.zip"]


def test_generate_composes_what_train_composes() -> None:
    assert experiment(config_name="generate") == experiment()


def member_file(folder: Path, group: str, text: str) -> str:
    """A member of the user's own, and the override that finds it."""
    (folder / group).mkdir(exist_ok=True)
    (folder / group / "mine.yaml").write_text(text, encoding="utf-8")
    return f"hydra.searchpath=[file://{folder}]"


EXECUTION = """
# @package _global_
execution: {total_timesteps: 64, checkpoint_freq: 64, eval_freq: 0, end_time: 600, parallel_envs: 2}
algorithm: {n_steps: 16, batch_size: 16}
network: {block_size_m: 150}
"""


def test_command_line_beats_execution_beats_algorithm(tmp_path: Path) -> None:
    found = member_file(tmp_path, "execution", EXECUTION)
    config = experiment("algorithm=ppo_quick", found, "execution=mine", "algorithm.batch_size=32")
    assert isinstance(config.algorithm, PPOConfig)
    assert isinstance(config.network, GridConfig)
    assert (config.algorithm.n_steps, config.algorithm.batch_size) == (16, 32)
    assert config.network.block_size_m == 150
    assert config.execution.total_timesteps == 64


ALGORITHM = """
# @package _global_
defaults:
  - /schema/algorithm/ppo@algorithm
  - _self_
algorithm:
  learning_rate: 1e-3
  clip_range: 0.2
  batch_size: 8
  n_steps: 8
  n_epochs: 1
  gamma: 0.9
  gae_lambda: 0.9
  ent_coef: 0.0
  action: {kind: next_phase}
  observation: {signal_features: [phase_age]}
reward: {sample_s: 2.0}
execution: {parallel_envs: 1}
"""


def test_algorithm_beats_reward_but_not_execution(tmp_path: Path) -> None:
    found = member_file(tmp_path, "algorithm", ALGORITHM)
    config = experiment(found, "algorithm=mine", "reward=empirical", "execution=long_run")
    assert config.reward.sample_s == 2.0
    assert config.execution.parallel_envs == 8
