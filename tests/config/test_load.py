"""Composed values become checked objects, and a saved experiment is the same one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from composing import experiment
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from trafficrl.config.experiment import EvaluateConfig, ExperimentConfig
from trafficrl.config.load import UNSAFE, load_experiment, save_experiment, to_experiment
from trafficrl.config.network import GridConfig
from trafficrl.config.reward import TermConfig
from trafficrl.config.scenarios import DemandMode, GeneratedScenarioConfig
from trafficrl.config.shared_policy import SharedPPOConfig
from trafficrl.config.store import GROUPS
from trafficrl.errors import ConfigError


@pytest.fixture(scope="module")
def default() -> ExperimentConfig:
    return experiment()


def refusal(override: str) -> str:
    """The one line that says why this cannot be composed."""
    with pytest.raises(ConfigError) as caught:
        experiment(override)
    message = str(caught.value)
    assert "\n" not in message
    return message


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
    terms = experiment("reward=delay", "+reward.terms={backlog_veh:{weight:-2}}").reward.terms
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
        ("reward.terms.local_delayed_veh.weight=nan", ["local_delayed_veh", "finite"]),
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
    assert keys[: 1 + len(GROUPS)] == ["defaults", *GROUPS]
    assert "demand: fresh" in text


def test_a_failed_save_leaves_the_old_file(default: ExperimentConfig, tmp_path: Path) -> None:
    path = tmp_path / "resolved_config.yaml"
    save_experiment(default, path)
    for unsafe in ("${oc.env:HOME}", "???", "line\x85end", "\udcff"):
        with pytest.raises(ConfigError, match="resume_from holds no plain value"):
            save_experiment(replace(default, resume_from=unsafe, seed=2), path)
    assert load_experiment(path) == default
    assert list(tmp_path.iterdir()) == [path]


def test_reading_a_file_asks_no_environment(default: ExperimentConfig, tmp_path: Path) -> None:
    path = tmp_path / "resolved_config.yaml"
    save_experiment(default, path)
    text = path.read_text(encoding="utf-8").replace(
        "resume_from: null", "resume_from: ${oc.env:HOME}"
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="resume_from holds no plain value"):
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
    "depart_lane": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
}


@settings(max_examples=12, deadline=None)
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
    assert isinstance(default.algorithm, SharedPPOConfig)
    assert isinstance(default.network, GridConfig)
    config = replace(
        default,
        scenarios={name: GeneratedScenarioConfig(**one) for name, one in scenarios.items()},
        algorithm=replace(default.algorithm, learning_rate=learning_rate),
        network=replace(default.network, lane_count=lane_count),
    )
    assume(not any(UNSAFE.search(one["depart_lane"]) for one in scenarios.values()))
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    save_experiment(config, path)
    assert load_experiment(path) == config


def test_models_are_named_as_they_are_written() -> None:
    assert experiment("resume_from=city@v1.2").resume_from == "city@v1.2"
    judged = experiment("controllers=[fixed,city@v1,city]", config_name="evaluate")
    assert isinstance(judged, EvaluateConfig)
    assert judged.controllers == ["fixed", "city@v1", "city"]
