"""Composed values become checked objects, and a saved experiment is the same one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from trafficrl.config.algorithm import Activation, LearningRateSchedule, PPOConfig
from trafficrl.config.execution import Score
from trafficrl.config.experiment import EvaluateConfig, ExperimentConfig
from trafficrl.config.load import load_experiment, save_experiment, to_experiment
from trafficrl.config.network import GridConfig
from trafficrl.config.reward import TermConfig
from trafficrl.config.scenarios import DemandMode, GeneratedScenarioConfig
from trafficrl.config.store import GROUPS, conf_dir, members, register_configs
from trafficrl.errors import ConfigError

ALL_MEMBERS = [(group, member) for group in GROUPS for member in members(group)]


def experiment(*overrides: str, config_name: str = "train") -> ExperimentConfig:
    register_configs()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose(config_name, list(overrides))
    schema = EvaluateConfig if config_name == "evaluate" else ExperimentConfig
    return to_experiment(cfg, schema)


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        experiment(*overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture(scope="module")
def default() -> ExperimentConfig:
    return experiment()


@pytest.mark.parametrize(("group", "member"), ALL_MEMBERS)
def test_every_member_composes_and_comes_back_from_its_file(
    group: str, member: str, tmp_path: Path
) -> None:
    composed = experiment(f"{group}={member}")
    path = tmp_path / "resolved_config.yaml"
    save_experiment(composed, path)
    assert load_experiment(path) == composed
    assert list(tmp_path.iterdir()) == [path]


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
    assert realtime.routing_strategy == {"shortest": 0.0, "realtime": 100.0}
    assert realtime.vehicle_types == {"passenger": 100.0, "public": 0.0}
    assert realtime.passenger_routes == {"in": 0.0, "out": 0.0, "inner": 100.0, "pass": 0.0}
    assert mixed.routing_strategy == {"shortest": 70.0, "realtime": 30.0}
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


def test_members_of_scenarios_are_mixed_and_never_share_a_name() -> None:
    names = [list(experiment(f"scenarios={member}").scenarios) for member in members("scenarios")]
    together = experiment(f"scenarios=[{','.join(members('scenarios'))}]").scenarios
    assert list(together) == [name for one in names for name in one]


def test_evaluate_adds_the_controllers() -> None:
    config = experiment("controllers=[fixed,a.zip]", config_name="evaluate")
    assert isinstance(config, EvaluateConfig)
    assert config.controllers == ["fixed", "a.zip"]


def test_generate_composes_what_train_composes(default: ExperimentConfig) -> None:
    assert experiment(config_name="generate") == default


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
    config = experiment(found, "execution=mine", "algorithm.batch_size=32")
    assert isinstance(config.algorithm, PPOConfig)
    assert isinstance(config.network, GridConfig)
    assert (config.algorithm.n_steps, config.algorithm.batch_size) == (16, 32)
    assert config.network.block_size_m == 150
    assert config.execution.total_timesteps == 64


def test_algorithm_beats_the_other_groups(tmp_path: Path) -> None:
    text = (conf_dir() / "algorithm" / "ppo_quick.yaml").read_text(encoding="utf-8")
    text = "# @package _global_\n" + text.replace("@_here_", "@algorithm").split("learning_rate")[0]
    values = "learning_rate: 1e-3, clip_range: 0.2, batch_size: 8, n_steps: 8, n_epochs: 1"
    values += ", gamma: 0.9, gae_lambda: 0.9, ent_coef: 0.0, action: {kind: next_phase}"
    values += ", observation: {signal_features: [phase_age]}"
    text += f"algorithm: {{{values}}}\nreward: {{sample_s: 2.0}}\n"
    found = member_file(tmp_path, "algorithm", text)
    assert experiment(found, "algorithm=mine", "reward=empirical").reward.sample_s == 2.0


SCENARIO = """
defaults:
  - /schema/scenarios/generated@rush
  - _self_
rush: {num_vehicles: 10, private_traffic_seed: 1, public_traffic_seed: 2}
"""


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("grid_dimension", "share the network; set network.grid_dimension"),
        ("network_seed", "share the network; set network.network_seed"),
        ("step_length", "share the network; set network.step_length"),
        ("signals", "share the network; set network.signals"),
        ("end_time", "share the end time; set execution.end_time"),
    ],
)
def test_a_scenario_that_sets_what_all_share_is_refused_by_name(key: str, wanted: str) -> None:
    message = refusal(f"+scenarios.morning.{key}=4")
    assert message == f"scenarios.morning.{key}: all scenarios of a run {wanted}"


def test_a_scenario_is_added_on_the_command_line() -> None:
    added = experiment(
        "+schema/scenarios@scenarios.rush=generated",
        "scenarios.rush.num_vehicles=10",
        "scenarios.rush.private_traffic_seed=1",
        "scenarios.rush.public_traffic_seed=2",
    )
    assert list(added.scenarios) == ["morning", "evening", "rush"]


def test_a_reward_term_is_added_on_the_command_line() -> None:
    terms = experiment("+reward.terms={backlog_veh:{weight:-2}}").reward.terms
    assert terms["backlog_veh"] == TermConfig(weight=-2.0)
    assert "delay_per_signal_veh" in terms


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("+foo=1", ["foo: unknown key", "choices: algorithm"]),
        ("+scenarios.morning.num_vehicle=1", ["did you mean 'num_vehicles'?"]),
        ("+network.signals.yelow_s=1", ["network.signals.yelow_s", "'yellow_s'", "all_red_s"]),
        ("network.grid_dimension=???", ["network.grid_dimension", "mandatory", "grid6_realistic"]),
        ("~network", ["network", "mandatory", "grid3, grid6_realistic"]),
        ("network.kind=gird", ["network.kind", "'gird'", "did you mean 'grid'?"]),
        ("scenarios.morning.kind=real", ["scenarios.morning.kind", "'real'", "generated"]),
        ("network.grid_dimension=1", ["network.grid_dimension", "2..26", "[junctions]", "got 1"]),
        ("scenarios.evening.num_vehicles=0", ["scenarios.evening.num_vehicles", "[veh]"]),
        (
            "scenarios.morning.vehicle_types=passenger 90",
            ["scenarios.morning.vehicle_types", "sum to 100 [%]", "got 90"],
        ),
        ("reward.terms.delay_per_signal_veh.weight=nan", ["delay_per_signal_veh", "finite"]),
        ("algorithm.learning_rate=${nope}", ["algorithm.learning_rate", "'nope' not found"]),
        ("scenarios=[]", ["scenarios is empty"]),
        ("network.signals.yellow_s=2.5", ["yellow_s", "multiple of network.step_length", "2.5"]),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(override: str, parts: list[str]) -> None:
    message = refusal(override)
    assert [part for part in parts if part not in message] == []


def test_a_scenario_name_cannot_leave_the_run_folder(default: ExperimentConfig) -> None:
    with pytest.raises(ConfigError, match=r"scenarios: a name .*'\.\./up'"):
        replace(default, scenarios={"../up": default.scenarios["morning"]})


def test_the_file_says_how_to_train_again_and_keeps_the_order(
    default: ExperimentConfig, tmp_path: Path
) -> None:
    path = tmp_path / "resolved_config.yaml"
    save_experiment(default, path)
    text = path.read_text(encoding="utf-8")
    assert "--config-name resolved_config" in text.splitlines()[1]
    keys = [line.split(":")[0] for line in text.splitlines() if line[0].islower()]
    assert keys[:6] == ["defaults", *GROUPS]
    assert "demand: fresh" in text


def test_a_failed_save_leaves_the_old_file(default: ExperimentConfig, tmp_path: Path) -> None:
    path = tmp_path / "resolved_config.yaml"
    save_experiment(default, path)
    with pytest.raises(ConfigError, match="resume_from holds an interpolation"):
        save_experiment(replace(default, resume_from="${oc.env:HOME}", seed=2), path)
    assert load_experiment(path) == default
    assert list(tmp_path.iterdir()) == [path]


def test_reading_a_file_asks_no_environment(default: ExperimentConfig, tmp_path: Path) -> None:
    path = tmp_path / "resolved_config.yaml"
    save_experiment(default, path)
    text = path.read_text(encoding="utf-8").replace(
        "resume_from: null", "resume_from: ${oc.env:HOME}"
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="resume_from holds an interpolation"):
        load_experiment(path)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"seed: [1", "damaged"),
        (b"\xff\xfe\x00\x81", "damaged"),
        (b"- 1\n- 2\n", "holds no mapping"),
        (b"", "network: a member is mandatory"),
        (b"seed: !!python/object/apply:os.getcwd []", "damaged"),
        (b"network: grid3", "network must be a mapping, got 'grid3'"),
        (b"a: 1\na: 2\n", "damaged"),
    ],
)
def test_a_damaged_file_is_one_line_with_its_name(
    content: bytes, wanted: str, tmp_path: Path
) -> None:
    path = tmp_path / "resolved_config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert wanted in message
    assert "\n" not in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: there is no such file"):
        load_experiment(tmp_path / "gone.yaml")


def test_a_plain_mapping_is_typed_by_its_kinds(default: ExperimentConfig, tmp_path: Path) -> None:
    path = tmp_path / "resolved_config.yaml"
    save_experiment(default, path)
    plain = OmegaConf.load(path)
    assert isinstance(plain, DictConfig)
    plain.pop("defaults")
    plain.network.signals.yellow_s = 4
    again = to_experiment(plain)
    assert again.network.signals.yellow_s == 4.0
    assert again.scenarios == default.scenarios


shares = st.integers(0, 100).map(lambda share: {"passenger": share, "public": 100 - share})
scenario_values: dict[str, st.SearchStrategy[Any]] = {
    "num_vehicles": st.integers(1, 1_000_000),
    "private_traffic_seed": st.integers(0, 2**31 - 1),
    "public_traffic_seed": st.integers(0, 2**31 - 1),
    "demand": st.sampled_from(DemandMode),
    "vehicle_types": shares | shares.map(lambda s: " ".join(f"{k} {v}" for k, v in s.items())),
    "start_time_hour": st.floats(0, 24),
    "depart_lane": st.text(st.characters(exclude_characters="$"), max_size=8),
}


@settings(max_examples=25, deadline=None)
@given(
    scenarios=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,8}", fullmatch=True),
        st.fixed_dictionaries(scenario_values),
        min_size=1,
        max_size=2,
    ),
    learning_rate=st.floats(0, 1),
    lane_count=st.sampled_from([2, 5, "2", "realistic", "random"]),
)
def test_any_valid_experiment_comes_back_equal(
    default: ExperimentConfig,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    scenarios: dict[str, dict[str, Any]],
    learning_rate: float,
    lane_count: int | str,
) -> None:
    assert isinstance(default.algorithm, PPOConfig)
    assert isinstance(default.network, GridConfig)
    config = replace(
        default,
        scenarios={name: GeneratedScenarioConfig(**one) for name, one in scenarios.items()},
        algorithm=replace(default.algorithm, learning_rate=learning_rate),
        network=replace(default.network, lane_count=lane_count),
    )
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    save_experiment(config, path)
    assert load_experiment(path) == config
