"""Classical controllers by name: from the command line to a run folder and back."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from composing import experiment
from hydra.errors import HydraException

from trafficrl.app.hydra_errors import explain_composition
from trafficrl.config.controllers import (
    ActuatedConfig,
    Count,
    DelayBasedConfig,
    LongestQueueConfig,
    MaxPressureConfig,
    RandomConfig,
    SotlConfig,
    UniformConfig,
    WebsterConfig,
    standard_controllers,
)
from trafficrl.config.load import load_experiment, save_experiment
from trafficrl.config.store import SCHEMAS
from trafficrl.config.tree_method import ORIGINAL, PREDECESSOR, Density, TreeMethodConfig
from trafficrl.errors import ConfigError

ADDED = "+controller.mp5={kind: max_pressure, interval_s: 5, count: queue}"


def refusal(*overrides: str) -> str:
    """What the command says; Hydra itself finds some of the faults."""
    with pytest.raises((ConfigError, HydraException)) as caught:
        experiment(*overrides)
    error = caught.value
    message = str(error) if isinstance(error, ConfigError) else explain_composition(error)
    assert "\n" not in message
    return message


def test_every_kind_has_a_name_and_the_tree_method_three() -> None:
    found = experiment().controller
    assert found == standard_controllers()
    assert {config.kind for config in found.values()} == set(SCHEMAS["controller"]) - {"own"}
    assert [name for name in found if name not in SCHEMAS["controller"]] == [
        "tree_method_original",
        "tree_method_predecessor",
    ]
    assert found["tree_method"] == TreeMethodConfig()
    assert (found["tree_method_original"], found["tree_method_predecessor"]) == (
        (ORIGINAL, PREDECESSOR)
    )


def test_parameters_are_set_on_the_command_line() -> None:
    found = experiment(
        "controller.max_pressure.interval_s=5",
        "controller.longest_queue.count=queue",
        "controller.tree_method.density=coded",
        "controller.tree_method_original.cost_interval_min=null",
    ).controller
    assert found["max_pressure"] == MaxPressureConfig(interval_s=5)
    assert found["longest_queue"] == LongestQueueConfig(count=Count.queue)
    assert found["tree_method"] == TreeMethodConfig(density=Density.coded)
    assert found["tree_method_original"] == replace(ORIGINAL, cost_interval_min=None)
    assert standard_controllers()["tree_method_original"] == ORIGINAL


def test_a_controller_is_added_and_comes_back_from_its_file(tmp_path: Path) -> None:
    other = "+schema/controller@controller.short=uniform"
    composed = experiment(ADDED, other, "controller.short.cycle_s=60", "controller.sotl.mu_veh=4")
    assert composed.controller["mp5"] == MaxPressureConfig(interval_s=5, count=Count.queue)
    assert composed.controller["short"] == UniformConfig(cycle_s=60)
    save_experiment(composed, tmp_path / "resolved_config.yaml")
    assert load_experiment(tmp_path / "resolved_config.yaml") == composed


def test_a_file_from_before_there_were_controllers_has_the_standard_ones(tmp_path: Path) -> None:
    file = tmp_path / "resolved_config.yaml"
    save_experiment(experiment(), file)
    text = file.read_text(encoding="utf-8")
    before, rest = text.split("controller:\n")
    after = rest[rest.index("\nseed:") :]
    file.write_text(before + after, encoding="utf-8")
    assert load_experiment(file).controller == standard_controllers()


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["controller.sotl.thta_veh_s=3"], ["did you mean 'theta_veh_s'?", "omega_m"]),
        (["controller.mp5.interval_s=3"], ["controller.mp5", "+controller.NAME={kind: KIND}"]),
        (["controller.max_pressure.interval_s=x"], ["controller.max_pressure.interval_s", "'x'"]),
        (["controller.max_pressure.count=cars"], ["max_pressure.count", "cars", "queue"]),
        (
            ["controller.max_pressure.interval_s=0"],
            ["controller.max_pressure.interval_s must be in 1..300 [s], got 0"],
        ),
        (
            ["+controller.mp5={kind: max_pressure, interval_s: 0}"],
            ["controller.mp5.interval_s must be in 1..300 [s], got 0"],
        ),
        (
            ["controller.tree_method_original.interval_s=9"],
            ["controller.tree_method_original.interval_s must be in 30..300 [s], got 9"],
        ),
        (
            ["+controller.mp5={kind: max_presure}"],
            ["controller.mp5.kind: unknown 'max_presure' (did you mean 'max_pressure'?)"],
        ),
        (["+controller.mp5={kind: sotl, interval: 5}"], ["controller.mp5.interval: unknown key"]),
        (["+controller.mp5={interval_s: 5}"], ["controller.mp5.kind", "choices: actuated"]),
        (["+controller.mp5=max_pressure"], ["controller.mp5 must be a mapping"]),
        (["+controller.mp5=null"], ["controller.mp5 must be a mapping"]),
        (["controller=max_pressure"], ["controller"]),
        (["+controller={../up: {kind: sotl}}"], ["controller: a name may hold", "'../up'"]),
    ],
)
def test_a_wrong_entry_is_one_line_that_names_it(overrides: list[str], parts: list[str]) -> None:
    message = refusal(*overrides)
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize(
    ("config", "values"),
    [
        (UniformConfig, {"cycle_s": 9}),
        (WebsterConfig, {"saturation_flow_vph": 0}),
        (WebsterConfig, {"yielding_share": 1.1}),
        (WebsterConfig, {"start_lost_s": -1}),
        (WebsterConfig, {"peak_s": 59}),
        (WebsterConfig, {"min_cycle_s": 9}),
        (WebsterConfig, {"max_cycle_s": 601}),
        (WebsterConfig, {"max_cycle_s": 39}),
        (ActuatedConfig, {"max_green_s": 4}),
        (ActuatedConfig, {"max_gap_s": 0}),
        (ActuatedConfig, {"detector_gap_s": 0}),
        (ActuatedConfig, {"passing_time_s": 0}),
        (DelayBasedConfig, {"max_green_s": 4}),
        (DelayBasedConfig, {"detector_range_m": 9}),
        (DelayBasedConfig, {"min_time_loss_s": -1}),
        (MaxPressureConfig, {"interval_s": 0.5}),
        (MaxPressureConfig, {"max_green_s": 4}),
        (LongestQueueConfig, {"interval_s": 301}),
        (LongestQueueConfig, {"max_green_s": float("nan")}),
        (SotlConfig, {"interval_s": 0.5}),
        (SotlConfig, {"theta_veh_s": -1}),
        (SotlConfig, {"min_green_s": -1}),
        (SotlConfig, {"omega_m": -1}),
        (SotlConfig, {"mu_veh": -1}),
        (RandomConfig, {"interval_s": 0}),
    ],
)
def test_a_parameter_outside_its_range_is_refused(
    config: type[Any], values: dict[str, float]
) -> None:
    ((name, value),) = values.items()
    with pytest.raises(ConfigError, match=rf"^controller\.\*\.{name} must be .*, got {value}"):
        config(**values)


def test_every_number_has_its_unit_in_its_name() -> None:
    units = ("_s", "_m", "_veh", "_veh_s", "_vph", "_share", "_min", "_vpkm", "_kmh")
    for kind in SCHEMAS["controller"].values():
        for item in fields(kind):
            if item.type in (float, "float") and kind is not TreeMethodConfig:
                assert item.name.endswith(units), (kind, item.name)
