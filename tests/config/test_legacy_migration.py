"""No legacy key is lost: what becomes of each, in every format."""

import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from composing import experiment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from legacy_cases import FLAT, write_all

from trafficrl.config.algorithm import PPOConfig
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.legacy.commands import read_command
from trafficrl.config.legacy.migration import migrate
from trafficrl.config.legacy.observation_keys import FEATURES
from trafficrl.config.legacy.outcomes import Fate, Migration
from trafficrl.config.legacy.reading import read_legacy
from trafficrl.config.legacy.sources import one_source
from trafficrl.config.legacy.table import KEYS, NAMES, find_key
from trafficrl.config.legacy.values import shown
from trafficrl.config.legacy.writing import experiment_file, overrides
from trafficrl.config.load import plain_values
from trafficrl.config.network import GridConfig
from trafficrl.config.scenarios import (
    ROUTING_STRATEGIES,
    DemandMode,
    GeneratedScenarioConfig,
)
from trafficrl.errors import ConfigError

NETWORK = (
    "grid_dimension block_size_m junctions_to_remove lane_count custom_lanes custom_lanes_file "
    "traffic_light_strategy step_length network_seed seed land_use_block_size_m attractiveness"
)
TRAFFIC = (
    "num_vehicles vehicle_types passenger_routes public_routes routing_strategy departure_pattern "
    "start_time_hour end_time private_seed public_seed private_traffic_seed public_traffic_seed "
    "traffic_control"
)
FLAT_KEYS = (
    "name description config_version base_config learning_rate clip_range batch_size n_steps "
    "n_epochs gamma gae_lambda max_grad_norm ent_coef log_std_init lr_schedule lr_final "
    "lr_decay_rate ent_schedule ent_initial ent_final ent_decay_steps net_arch activation "
    "reward_function per_vehicle waiting_penalty_weight throughput_bonus edge_features "
    "junction_features network_features action_mode phases_per_junction action_low action_high "
    "total_timesteps checkpoint_freq early_stopping_patience early_stopping_min_delta "
    "parallel_envs single_env eval_freq"
)


@pytest.mark.parametrize("name", f"{NETWORK} {TRAFFIC} {FLAT_KEYS}".split())
def test_every_key_of_the_earlier_program_is_known(name: str) -> None:
    key = find_key("", name)
    assert key is not None
    assert key.to or key.why
    assert find_key("", name.replace("_", "-")) is key


def test_a_section_may_shorten_a_key() -> None:
    assert find_key("reward", "function") is NAMES["reward_function"]
    assert find_key("algorithm", "function") is None
    assert find_key("network", "seed") is NAMES["network_seed"]
    assert find_key("execution", "seed") is NAMES["seed"]


def migrated(folder: Path, text: str) -> Migration:
    file = folder / "old.yaml"
    file.write_text(text, encoding="utf-8")
    return migrate(read_legacy(file))


COUNTS = st.integers(1, 20)
PERCENT = st.integers(0, 100)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "grid_dimension": st.integers(3, 10),
    "block_size_m": st.integers(50, 500),
    "junctions_to_remove": st.sampled_from([0, 1, "1", "A0,B1"]),
    "lane_count": st.sampled_from(["realistic", "random", 2, "3"]),
    "custom_lanes": st.sampled_from(["A0A1=tail:3", "A0A1=tail:2;A1A0=tail:3"]),
    "traffic_light_strategy": st.sampled_from(["partial_opposites", "opposites", "incoming"]),
    "step_length": st.just(1.0),
    "network_seed": st.integers(0, 10**6),
    "seed": st.integers(0, 10**6),
    "land_use_block_size_m": st.floats(10, 100),
    "attractiveness": st.sampled_from(["land_use", "poisson", "iac"]),
    "num_vehicles": st.integers(1, 10**6),
    "vehicle_types": PERCENT.map(lambda share: f"passenger {share} public {100 - share}"),
    "routing_strategy": PERCENT.map(lambda share: f"shortest {share} realtime {100 - share}"),
    "passenger_routes": st.just("in 25 out 25 inner 25 pass 25"),
    "public_routes": st.just("in 10 out 20 inner 30 pass 40"),
    "departure_pattern": st.sampled_from(["uniform", "six_periods"]),
    "start_time_hour": st.floats(0, 23),
    "end_time": st.integers(300, 10_000),
    "private_seed": st.integers(0, 10**6),
    "public_traffic_seed": st.integers(0, 10**6),
    "traffic_control": st.sampled_from(["rl", "fixed", "atlcs"]),
    "learning_rate": st.floats(1e-6, 1),
    "n_steps": st.integers(2, 5000),
    "net_arch": st.lists(COUNTS, min_size=1, max_size=3),
    "activation": st.sampled_from(["relu", "tanh", "elu", "leaky_relu"]),
    "ent_schedule": st.booleans(),
    "lr_schedule": st.sampled_from(["exponential", "constant", "linear"]),
    "reward_function": st.just("empirical"),
    "throughput_bonus": st.floats(0, 1),
    "edge_features": st.lists(st.sampled_from(sorted(FEATURES["edge"])), min_size=1, max_size=6),
    "action_mode": st.just("continuous"),
    "phases_per_junction": COUNTS,
    "action_high": st.floats(1, 20),
    "checkpoint_freq": st.integers(1, 10_000),
    "eval_freq": st.integers(1, 10_000),
    "total_timesteps": st.integers(1, 10**7),
    "early_stopping_patience": COUNTS,
    "parallel_envs": st.integers(1, 16),
    "single_env": st.booleans(),
    "description": st.text(max_size=20).filter(lambda text: text.strip().isprintable()),
    "config_version": st.just(1),
}
ANY = st.dictionaries(st.sampled_from(sorted(VALUES)), st.none(), min_size=1).flatmap(
    lambda chosen: st.fixed_dictionaries({name: VALUES[name] for name in chosen})
)
STRANGE = st.dictionaries(
    st.text("abcxyz_", min_size=3, max_size=12).map("strange_".__add__), st.integers(), max_size=3
)
SECTION = {
    **dict.fromkeys(NETWORK.split(), "network"),
    **dict.fromkeys(TRAFFIC.split(), "traffic"),
    **dict.fromkeys(("reward_function", "throughput_bonus"), "reward"),
    **dict.fromkeys(("checkpoint_freq", "eval_freq", "total_timesteps", "seed"), "execution"),
}


def as_flat(folder: Path, said: dict[str, Any]) -> Migration:
    return migrated(folder, yaml.safe_dump(said, allow_unicode=True))


def as_sections(folder: Path, said: dict[str, Any]) -> Migration:
    tree: dict[str, Any] = {}
    for name, value in said.items():
        tree.setdefault(SECTION.get(name, "algorithm"), {})[name] = value
    return migrated(folder, yaml.safe_dump(tree, allow_unicode=True))


def as_parts(folder: Path, said: dict[str, Any]) -> Migration:
    """Dealt out to the five files; the demand of the scenarios stands in their list."""
    parts: dict[str, dict[str, Any]] = {"execution": {}, "algorithm": {}, "network": {}}
    own: dict[str, Any] = {"name": "one"}
    for number, (name, value) in enumerate(said.items()):
        key = find_key("", name)
        if key is not None and key.to.startswith("scenarios.*."):
            own[name] = value
        else:
            parts[list(parts)[number % 3]][name] = value
    parts["scenarios"] = {"scenarios": [own]}
    for part, content in parts.items():
        (folder / part).mkdir(exist_ok=True)
        (folder / part / "x.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    files = [folder / part / "x.yaml" for part, content in parts.items() if content]
    return migrate(one_source(f"[{','.join(map(str, files))}]"))


def as_command(folder: Path, said: dict[str, Any]) -> Migration:
    words = []
    for number, (name, value) in enumerate(said.items()):
        option = name.replace("_", "-") if number % 2 else name
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words.append(f"--{option} {shlex.quote(text)}")
    return migrate(read_command(f"python x.py {' '.join(words)}", folder=folder))


@pytest.mark.parametrize("way", [as_flat, as_sections, as_parts, as_command])
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=ANY, strange=STRANGE)
def test_no_key_is_lost_in_silence(
    way: Any, said: dict[str, Any], strange: dict[str, int], tmp_path: Path
) -> None:
    if way is as_command:  # an empty or hyphened text has other meanings there
        said.pop("description", None)
    if not said:
        return
    found = way(tmp_path, said | strange)
    by_name = {one.entry.path.rpartition(".")[2].replace("-", "_"): one for one in found.outcomes}
    assert set(by_name) - {"name"} == set(said) | set(strange)
    text = experiment_file(found)
    for name in strange:
        assert by_name[name].fate is Fate.unknown
        assert f"unknown: {by_name[name].entry.path}" in text
    for name, value in said.items():
        told = by_name[name]
        if told.fate is Fate.kept and name != "description":
            assert told.settings
            assert {shown(one) for one in told.settings.values()} == {shown(value)}
        elif told.fate is Fate.changed:
            assert told.settings
        elif told.fate is Fate.dropped:
            assert told.why
            assert f"dropped: {told.entry.path}" in text
        for key in told.settings:
            if key != "reward":
                assert found.settings[key].value == told.settings[key]
                assert yaml_value(text, key) == told.settings[key]


def yaml_value(text: str, key: str) -> Any:
    value = yaml.safe_load(text)
    for part in key.split("."):
        value = value[part]
    return float(value) if isinstance(value, str) and value[:1].isdecimal() else value


# Each key at a value that no default has.
EVERYTHING = """
grid_dimension: 4
block_size_m: 150
junctions_to_remove: A0
lane_count: 3
custom_lanes: "A1A2=tail:2"
traffic_light_strategy: incoming
step_length: 2
network_seed: 11
land_use_block_size_m: 30
attractiveness: iac
num_vehicles: 77
vehicle_types: passenger 60 public 40
passenger_routes: in 10 out 20 inner 30 pass 40
public_routes: in 40 out 30 inner 20 pass 10
routing_strategy: fastest 100
departure_pattern: six_periods
start_time_hour: 5
private_seed: 12
public_seed: 13
end_time: 600
tree_method_interval: 60
learning_rate: 1e-2
clip_range: 0.3
batch_size: 10
n_steps: 20
n_epochs: 3
gamma: 0.7
gae_lambda: 0.6
max_grad_norm: 0.9
ent_coef: 0.05
log_std_init: -2
lr_schedule: constant
lr_final: 1e-3
lr_decay_rate: 0.9
ent_schedule: false
ent_initial: 0.3
ent_final: 0.2
ent_decay_steps: 9
net_arch: [8]
activation: elu
cycle_lengths: [60]
edge_features: [normalized_flow]
junction_features: [duration_normalized]
network_features: [bottleneck_ratio]
reward_function: throughput
per_vehicle: 3
waiting_penalty_weight: 4
total_timesteps: 40
checkpoint_freq: 10
eval_freq: 20
early_stopping_patience: 4
early_stopping_min_delta: 2
parallel_envs: 3
single_env: true
device: auto
"""
NOT_THERE = {"custom_lanes_file", "seed", "throughput_bonus", "action_mode"}
"""Keys that cannot be beside those, or have one value."""


@cache
def says_nothing() -> ExperimentConfig:
    """The experiment of a file that only has a name."""
    return experiment(*overrides(migrate(read_command("--name old"))))


def test_every_value_arrives_in_the_composed_configuration(tmp_path: Path) -> None:
    found = migrated(tmp_path, EVERYTHING)
    moved = {key.name for key in KEYS if "." in key.to} - NOT_THERE
    by_name = {one.entry.known.name: one for one in found.outcomes if one.entry.known}
    assert set(by_name) == moved | {"reward_function"}
    before = plain_values(says_nothing())
    now = plain_values(experiment(*overrides(found)))
    for name in moved:
        for key, value in by_name[name].settings.items():
            assert value_at(now, key) == as_composed(value), key
            if key in UNKNOWN_BEFORE:
                continue
            assert value_at(before, key) != value_at(now, key), key


UNKNOWN_BEFORE = ("reward.terms.throughput_vps.weight", "reward.terms.waiting_time_s.weight")


def value_at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


def as_composed(value: Any) -> Any:
    """Shares are a mapping there, with every name."""
    words = value.split() if isinstance(value, str) else []
    if len(words) < 2:
        return value
    given = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    names = ROUTING_STRATEGIES if set(given) <= set(ROUTING_STRATEGIES) else tuple(given)
    return {name: given.get(name, 0.0) for name in names}


def test_what_no_file_says_is_as_the_earlier_program_had_it() -> None:
    config = says_nothing()
    network, algorithm, scenario = config.network, config.algorithm, config.scenarios["old"]
    assert isinstance(network, GridConfig)
    assert isinstance(algorithm, PPOConfig)
    assert isinstance(scenario, GeneratedScenarioConfig)
    assert (network.grid_dimension, network.block_size_m, network.lane_count) == (
        *(5, 200),
        "realistic",
    )
    assert (scenario.num_vehicles, scenario.demand) == (300, DemandMode.fresh)
    assert scenario.vehicle_types == {"passenger": 90, "public": 10}
    assert scenario.public_stop_spacing_m == 0
    assert (algorithm.learning_rate, algorithm.batch_size, algorithm.n_steps) == (1e-4, 2048, 4096)
    assert algorithm.action.cycle_s == 90
    assert algorithm.observation.network_features == [
        *("bottleneck_ratio", "vehicles_normalized", "avg_speed_normalized")
    ]
    assert (config.execution.checkpoint_freq, config.execution.eval_freq) == (10_000, 10_000)
    assert (config.execution.end_time, config.execution.parallel_envs) == (7200, 1)
    assert list(config.scenarios) == ["old"]


@pytest.mark.parametrize("form", ["flat", "modular", "sectioned"])
def test_file_and_overrides_say_the_same(form: str, tmp_path: Path) -> None:
    found = migrate(one_source(str(write_all(tmp_path / "lab")[form])))
    found.refuse_unknown()
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(experiment_file(found))
    path = f"hydra.searchpath=[file://{tmp_path}]"
    assert experiment(path, "experiment=mine") == experiment(*overrides(found))


def test_the_words_beside_a_legacy_file_win(tmp_path: Path) -> None:
    found = migrated(tmp_path, FLAT)

    def composed(*words: str) -> ExperimentConfig:
        return experiment(*overrides(found, words), *words)

    config = composed(
        "execution.end_time=600", "scenarios.small_flat.num_vehicles=9", "algorithm.gamma=0.5"
    )
    assert config.execution.end_time == 600
    assert config.scenarios["small_flat"].num_vehicles == 9  # type: ignore[attr-defined]
    assert config.network.network_seed == 7  # type: ignore[attr-defined]
    assert isinstance(config.algorithm, PPOConfig)
    assert (config.algorithm.gamma, config.algorithm.n_epochs) == (0.5, 2)
    words = overrides(found, ["execution.end_time=600", "+algorithm.gamma=0.5"])
    assert not [word for word in words if "end_time" in word or "gamma" in word]
    # A member of a group stands for all of it.
    config = composed("network=grid3", "reward=empirical", "scenarios=light")
    usual = experiment("algorithm=ppo_quick", "reward=empirical")
    assert (config.network, config.reward) == (usual.network, usual.reward)
    assert (config.scenarios, config.execution.end_time) == (usual.scenarios, 180)
    config = composed("algorithm=ppo_quick", "execution=quick_test")
    assert (config.algorithm, config.execution) == (usual.algorithm, usual.execution)


def values(found: Migration) -> dict[str, Any]:
    return {key: setting.value for key, setting in found.settings.items()}


def test_every_feature_is_here_or_named(tmp_path: Path) -> None:
    for scope, known in FEATURES.items():
        found = migrated(tmp_path, f"{scope}_features: [{', '.join(known)}]")
        (told,) = found.outcomes
        (here,) = told.settings.values()
        for name, (feature, _) in known.items():
            assert name in here if feature == name else f"{name} " in told.why
        assert set(here) == {feature for feature, _ in known.values() if feature}


def test_a_feature_named_twice_is_told(tmp_path: Path) -> None:
    (told,) = migrated(tmp_path, "edge_features: [speed_ratio, speed_ratio]").outcomes
    assert (told.fate, told.why) == (Fate.changed, "speed_ratio once")


def test_frequencies_are_steps_of_all_environments(tmp_path: Path) -> None:
    text = "checkpoint_freq: 100\neval_freq: 50\n"
    found = values(migrated(tmp_path, f"{text}parallel_envs: 4"))
    assert (found["execution.checkpoint_freq"], found["execution.eval_freq"]) == (400, 200)
    found = values(migrated(tmp_path, f"{text}parallel_envs: 4\nsingle_env: true"))
    assert (found["execution.checkpoint_freq"], found["execution.eval_freq"]) == (100, 50)
    listed = "scenarios: [{name: a}, {name: b}]"
    found = values(migrated(tmp_path, f"{text}{listed}"))
    assert (found["execution.checkpoint_freq"], found["execution.parallel_envs"]) == (200, 2)


def test_a_scenario_of_the_file_can_be_taken_away(tmp_path: Path) -> None:
    found = migrated(tmp_path, "scenarios: [{name: a}, {name: b}]")
    words = ["~scenarios.a"]
    assert list(experiment(*overrides(found, words), *words).scenarios) == ["b"]


def test_a_longer_step_has_clearances_that_fit(tmp_path: Path) -> None:
    found = migrated(tmp_path, "step_length: 2")
    signals = {
        key.rpartition(".")[2]: one for key, one in values(found).items() if ".signals." in key
    }
    assert signals == {"yellow_s": 4, "min_green_s": 6}
    assert values(found)["reward.sample_s"] == 6
    network = experiment(*overrides(found)).network
    assert (network.signals.yellow_s, network.signals.all_red_s) == (4, 2)


def test_given_seeds_mean_the_same_trips_each_episode(tmp_path: Path) -> None:
    fixed = values(migrated(tmp_path, "private_seed: 3\npublic_seed: 4"))
    assert fixed["scenarios.old.demand"] == "fixed"
    found = migrated(tmp_path, "seed: 5\nprivate_seed: 3")
    assert {key: one for key, one in values(found).items() if key.endswith("_seed")} == {
        "network.network_seed": 5,
        "scenarios.old.private_traffic_seed": 5,
        "scenarios.old.public_traffic_seed": 5,
    }
    assert values(found)["scenarios.old.demand"] == "fixed"
    assert [one.why for one in found.fates(Fate.dropped)] == ["seed overrules it, as it did"]
    assert values(migrated(tmp_path, "name: x"))["scenarios.x.demand"] == "fresh"


def test_a_seed_of_the_network_is_not_that_of_the_traffic(tmp_path: Path) -> None:
    found = migrated(tmp_path, "network: {seed: 5}\ntraffic: {private_seed: 3, public_seed: 4}")
    assert {key: one for key, one in values(found).items() if key.endswith("_seed")} == {
        "network.network_seed": 5,
        "scenarios.old.private_traffic_seed": 3,
        "scenarios.old.public_traffic_seed": 4,
    }


def test_a_default_does_not_undo_what_is_said(tmp_path: Path) -> None:
    found = migrated(tmp_path, "ent_coef: 0.05\nlearning_rate: 1e-6")
    assert values(found)["algorithm.ent_schedule"] is False
    assert values(found)["algorithm.lr_final"] == 1e-6
    told = {key: one.why for key, one in found.settings.items() if one.why}
    assert told["algorithm.ent_schedule"].startswith("ent_coef is said")
    assert told["algorithm.lr_final"].startswith("no higher than learning_rate: 5e-06 then")
    said = values(migrated(tmp_path, "ent_coef: 0.05\nent_schedule: true\nlr_final: 1e-6"))
    assert (said["algorithm.ent_schedule"], said["algorithm.lr_final"]) == (True, 1e-6)
    usual = values(migrated(tmp_path, "gamma: 0.9"))
    assert (usual["algorithm.ent_schedule"], usual["algorithm.lr_final"]) == (True, 5e-6)


def test_scenarios_have_values_of_their_own(tmp_path: Path) -> None:
    found = migrated(
        tmp_path,
        "num_vehicles: 5\nscenarios:\n- {name: a b, num_vehicles: 6, end_time: 100}\n"
        "- {name: c, end_time: 100, private_seed: 1}",
    )
    settings = values(found)
    assert found.scenarios == ("a_b", "c")
    assert settings["scenarios.a_b.num_vehicles"] == 6
    assert settings["scenarios.c.num_vehicles"] == 5
    assert settings["execution.end_time"] == 100
    assert (settings["scenarios.a_b.demand"], settings["scenarios.c.demand"]) == ("fresh", "fixed")
    told = migrated(tmp_path, "num_vehicles: 5\nscenarios: [{name: a, num_vehicles: 6}]")
    assert [one.why for one in told.fates(Fate.overlaid)] == ["each scenario says it itself"]


def test_a_value_of_one_scenario_that_holds_for_all_is_told(tmp_path: Path) -> None:
    found = migrated(tmp_path, "scenarios: [{name: a, end_time: 100}, {name: b, seed: 3}]")
    told = {one.entry.path: one.why for one in found.fates(Fate.changed)}
    why = "holds for all scenarios, which share it"
    assert told == {"scenarios[0].end_time": why, "scenarios[1].seed": why}
    for text in (
        "scenarios: [{name: a, end_time: 100}, {name: b, end_time: 100}]",
        "end_time: 100\nscenarios: [{name: a, end_time: 100}, {name: b}]",
        "scenarios: [{name: a, end_time: 100}]",
    ):
        assert not migrated(tmp_path, text).fates(Fate.changed)


def test_parameters_of_the_reward_are_weights(tmp_path: Path) -> None:
    text = "reward_function: throughput\nreward_params: {per_vehicle: 4, waiting_penalty_weight: 2}"
    found = values(migrated(tmp_path, text))
    assert found["reward"] == "throughput"
    assert found["reward.terms.throughput_vps.weight"] == 4
    assert found["reward.terms.waiting_time_s.weight"] == -2


def test_a_file_of_lanes_moves_into_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "lanes.txt").write_text("A0A1=tail:3  # wide\n\nA1A0=tail:2;\n")
    found = values(migrated(tmp_path, "custom_lanes_file: lanes.txt"))
    assert found["network.custom_lanes"] == "A0A1=tail:3;A1A0=tail:2"


def test_an_empty_value_is_told_and_leaves_the_usual_one(tmp_path: Path) -> None:
    found = migrated(tmp_path, "gamma:\nreward_params: {}")
    assert values(found)["algorithm.gamma"] == 0.995
    assert [(one.entry.path, one.why) for one in found.fates(Fate.dropped)] == [
        ("gamma", "it says nothing"),
        ("reward_params", "it says nothing"),
    ]


def test_a_near_miss_is_guessed(tmp_path: Path) -> None:
    found = migrated(tmp_path, "gamma: 0.9\nlearning_rte: 1")
    with pytest.raises(ConfigError) as caught:
        found.refuse_unknown()
    assert str(caught.value) == (
        f"{tmp_path / 'old.yaml'}:2: learning_rte: no key of the earlier program; did you mean "
        "learning_rate?"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("num_vehicles: 2.5", "old.yaml:1: num_vehicles must be a whole number, got 2.5"),
        ("gamma: .nan", "gamma must be a number, got"),
        ("gamma: yes", "gamma must be a number, got true"),
        ("gamma: 2026-01-01", "gamma must be a number, got"),
        ("ent_schedule: 1", "ent_schedule must be true or false, got 1"),
        ("activation: swish", "activation must be one of relu, tanh, elu, leaky_relu, got swish"),
        ("reward_function: own", "must be one of empirical, throughput, multi_objective, got own"),
        (
            "throughput_bonus: 1\nreward_function: throughput",
            "belongs to reward_function empirical",
        ),
        ("per_vehicle: 1", "belongs to reward_function throughput; empirical has throughput_bonus"),
        ("action_mode: discrete", "action_mode: must be continuous, got 'discrete': the earlier"),
        ("cycle_lengths: [60, 90]", "a run has one cycle, got [60, 90]"),
        ("edge_features: [speed_rati]", "unknown 'speed_rati' (did you mean 'speed_ratio'?)"),
        ("config_version: 2", "config_version: must be 1, the only one there is, got 2"),
        ("custom_lanes: A0", "custom_lanes: custom_lanes line 1 'A0': write STREET=tail:N"),
        ("custom_lanes_file: no.txt", "custom_lanes_file: there is no file 'no.txt'"),
        ("custom_lanes: A0A1=tail:1\ncustom_lanes_file: x", "custom_lanes_file and custom_lanes"),
        ("network: 3", "old.yaml:1: network must be a mapping, got 3"),
        ("scenarios: [{num_vehicles: 3}]", "a scenario must have a name"),
        ("scenarios: [{name: a}, {name: a}]", "two scenarios have the name a"),
        ("scenarios: [{name: a, end_time: 1}, {name: b, end_time: 2}]", "all scenarios of a run"),
        ("what: 1\nlearning_rte: 1", "old.yaml:1: what: no key of the earlier program; nor is any"),
        ("network: {}", "old holds no key of the earlier program"),
        ("description: [a]", "description must be text, got [a]"),
        ("departure_pattern: ${oc.env:HOME}", "must be text without ${"),
        ("routing_strategy: {realtime: [1]}", "percentages: realtime has [1]"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        migrated(tmp_path, text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("C:\\runs", "C:\\runs"),
        ("${nope}", "${nope}"),
        ("2026-01-02", "2026-01-02"),
        ("7", "7"),
        ('"a\\n\\a b: c"', "a ? b: c"),
    ],
)
def test_a_description_is_but_a_comment(said: str, told: str, tmp_path: Path) -> None:
    text = experiment_file(migrated(tmp_path, f"description: {said}"))
    assert text.splitlines()[1] == f"# {told}"
    assert "description" not in yaml.safe_load(text)


@pytest.mark.parametrize("name", ["a\nseed: 7", "a\x85seed: 7", "a\u2028seed: 7", "# x", "\x07"])
def test_no_odd_name_becomes_a_line_of_the_file(name: str, tmp_path: Path) -> None:
    text = yaml.safe_dump({name: 1, "description": "what: {a", "name": "no"}, allow_unicode=False)
    content = yaml.safe_load(experiment_file(migrated(tmp_path, text)))
    assert set(content) == {"defaults", "network", "scenarios", "algorithm", "execution"}
    assert list(content["scenarios"]) == ["no"]
