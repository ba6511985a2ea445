"""The published scenarios by name, from the optional package."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from composing import experiment
from hydra.errors import MissingConfigException

from trafficrl.app.hydra_errors import explain_composition
from trafficrl.config.network import NetFileConfig
from trafficrl.config.resco import resco_scenarios
from trafficrl.config.scenarios import RouteFileScenarioConfig
from trafficrl.config.shared_policy import SharedPPOConfig
from trafficrl.config.store import members

NAMES = sorted(resco_scenarios())


def test_the_package_holds_the_published_scenarios() -> None:
    assert {"cologne1", "cologne3", "grid4x4", "arterial4x4", "ingolstadt21"} <= set(NAMES)
    assert "sumo_rl" not in sys.modules


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_chosen_by_name(name: str) -> None:
    config = experiment(f"network=resco/{name}", f"scenarios=resco/{name}")
    scenario = config.scenarios[name]
    assert isinstance(config.network, NetFileConfig)
    assert isinstance(scenario, RouteFileScenarioConfig)
    assert all(Path(file).is_file() for file in (config.network.file, *scenario.file))
    assert scenario.length_s == 3600.0
    begin_s = {"cologne": 25200.0, "ingolst": 57600.0}.get(name[:7], 0.0)
    assert scenario.begin_s == begin_s


def test_an_experiment_adds_the_length_that_the_scenario_was_made_for() -> None:
    config = experiment("experiment=resco/cologne1", "execution=long_run")
    assert config.execution.end_time == 3600.0
    assert list(config.scenarios) == ["cologne1"]


@pytest.mark.parametrize(
    ("name", "teleport_s"), [("cologne1", -1), ("cologne3", 300), ("grid4x4", -1)]
)
def test_learning_takes_the_published_setting(name: str, teleport_s: float) -> None:
    """But where two vehicles lock each other for good."""
    config = experiment(f"experiment={name}_shared")
    published = experiment(f"experiment=resco/{name}", "simulation=resco_compat")
    assert config.scenarios == published.scenarios
    assert config.simulation == replace(published.simulation, time_to_teleport_s=teleport_s)
    assert config.execution.end_time == published.execution.end_time
    assert isinstance(config.algorithm, SharedPPOConfig)


def test_a_wrong_name_is_answered_with_the_choices() -> None:
    with pytest.raises(MissingConfigException) as caught:
        experiment("network=resco/cologne2")
    message = explain_composition(caught.value)
    assert message.startswith("network: unknown 'resco/cologne2' (did you mean 'resco/cologne")
    assert "grid3" in message


@pytest.fixture
def without_the_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "sumo_rl", None)
    resco_scenarios.cache_clear()
    yield
    resco_scenarios.cache_clear()


@pytest.mark.usefixtures("without_the_package")
def test_without_the_package_the_extra_is_named() -> None:
    assert [name for name in members("network") if "/" in name] == []
    with pytest.raises(MissingConfigException) as caught:
        experiment("network=resco/no_such_one")
    assert explain_composition(caught.value) == (
        "network=resco/no_such_one: the published scenarios come with an extra: "
        "pip install 'trafficrl[resco]'"
    )
