"""Fixed plans of published scenarios, through our own evaluator, beside measurements of others."""

from pathlib import Path

import pytest

from trafficrl.config.algorithm import ActionConfig, ActionKind
from trafficrl.config.network import NetFileConfig
from trafficrl.config.observation import ObservationConfig
from trafficrl.config.resco import resco_scenarios
from trafficrl.config.reward import RewardConfig, TermConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.env.task import Task
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.network.build import build_network
from trafficrl.runs.seeding import Split

DEFAULTS = SimulationConfig(time_to_teleport_s=-1)
COMPAT = SimulationConfig(depart_speed="0", depart_lane="first", time_to_teleport_s=-1)
slow = pytest.mark.slow


def task(name: str, simulation: SimulationConfig, cache: Path) -> Task:
    published = resco_scenarios()[name]
    assert published.length_s is not None
    return Task(
        network=build_network(NetFileConfig(file=str(published.net_file)), cache),
        scenarios={name: published.scenario()},
        observation=ObservationConfig(signal_features=["current_phase"]),
        action=ActionConfig(kind=ActionKind.next_phase, interval_s=10),
        reward=RewardConfig(terms={"delay_per_signal_veh": TermConfig(weight=-1.0)}, sample_s=10),
        step_s=1.0,
        end_s=published.length_s,
        simulation=simulation,
    )


@pytest.mark.parametrize(
    ("name", "simulation", "low_s", "high_s"),
    [
        # Delay of the plan in the file, measured apart from us on the same SUMO: its range over
        # seeds, without and with the insertion defaults of the published results.
        pytest.param("cologne1", DEFAULTS, 41.6, 43.0, marks=slow),
        ("cologne1", COMPAT, 54.0, 56.2),
        pytest.param("cologne3", DEFAULTS, 35.1, 36.0, marks=slow),
        pytest.param("cologne3", COMPAT, 39.1, 45.2, marks=slow),
        pytest.param("grid4x4", DEFAULTS, 91.2, 91.8, marks=slow),
        pytest.param("arterial4x4", DEFAULTS, 1469.0, 1475.0, marks=slow),
    ],
)
def test_the_fixed_plan_has_the_delay_that_others_measured(
    name: str, simulation: SimulationConfig, low_s: float, high_s: float, tmp_path: Path
) -> None:
    with Evaluator(task(name, simulation, tmp_path), tmp_path / "work", workers=2) as evaluator:
        results = evaluator.run({"fixed": "fixed"}, split=Split.test, seeds=3)
    delay_s = sum(result.metrics.delay_s for result in results) / len(results)
    assert 0.95 * low_s < delay_s < 1.05 * high_s
    assert {result.metrics.teleports for result in results} == {0}


def test_only_trips_that_are_due_in_the_window_are_scheduled(tmp_path: Path) -> None:
    with Evaluator(task("cologne3", DEFAULTS, tmp_path), tmp_path / "work") as evaluator:
        (result,) = evaluator.run({"fixed": "fixed"}, split=Split.test, seeds=1)
    assert result.metrics.scheduled == 2856  # of 4,494 in the file
