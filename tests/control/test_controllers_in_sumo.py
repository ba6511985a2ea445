"""Every classical controller through SUMO, on a generated city and on a published network.

The rules of safety are those of `safety_cases.py`, read from what the signals showed.
"""

from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp

import pytest
import traffic_cases as cases
from controller_cases import drive, state
from safety_cases import PLAN_CONFLICT, Witness

from trafficrl.config.controllers import (
    ActuatedConfig,
    DelayBasedConfig,
    RandomConfig,
    UniformConfig,
    standard_controllers,
)
from trafficrl.config.network import NetFileConfig
from trafficrl.config.resco import INSTALL_RESCO, resco_scenarios
from trafficrl.control.plans import (
    PlanFollower,
    actuated_programs,
    delay_based_programs,
    uniform_programs,
)
from trafficrl.control.random_phase import RandomPhase
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import ConfigError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram, fixed_program
from trafficrl.network.signals import Signal

CITY = cases.city()
NAMES = list(standard_controllers())
BUSY = cases.scenario(300, 300.0)


def driven(name: str, of: Network, scenario: Scenario, folder: Path) -> Witness:
    task = cases.task(network=of, end_s=scenario.end_s - scenario.begin_s)
    return drive(build_controller(name, task), of, scenario, folder)


@pytest.mark.parametrize("name", NAMES)
def test_every_controller_drives_a_city_safely(name: str, tmp_path: Path) -> None:
    witness = driven(name, CITY, BUSY, tmp_path)
    assert witness.violations() == []
    assert [e for e in witness.emergencies if e.cause != "other"] == []
    assert witness.arrived_veh > 20
    shown = {state for states in witness.shown.values() for state in states}
    assert len(shown) > 10


@pytest.mark.skipif(not resco_scenarios(), reason=INSTALL_RESCO)
@pytest.mark.parametrize("name", NAMES)
def test_every_controller_drives_a_published_network_safely(name: str, tmp_path: Path) -> None:
    """Signals of three and of four phases, with links that yield and lanes for several turns."""
    published = resco_scenarios()["cologne3"]
    of = build_network(NetFileConfig(file=str(published.net_file)), cases.scratch())
    scenario = build_scenario(
        "cologne3", published.scenario(), of, seeds=None, end_s=240.0, folder=tmp_path
    )
    witness = driven(name, of, scenario, tmp_path)
    if name != "fixed":  # whose plan has no all-red
        assert [v for v in witness.violations() if v.kind != PLAN_CONFLICT] == []
    assert [e for e in witness.emergencies if e.cause != "other"] == []
    assert witness.arrived_veh > 20


# --- plans in SUMO


def green_lengths(witness: Witness, signal: Signal) -> list[int]:
    """Steps of each whole green: the first and the last may be cut."""
    states = {phase.state for phase in signal.phases}
    runs = [(state, len(list(steps))) for state, steps in groupby(witness.shown[signal.id])]
    return [length for state, length in runs[1:-1] if state in states]


def followed(programs: list[SignalProgram], scenario: Scenario = BUSY) -> Witness:
    follower = PlanFollower(lambda scenario: programs, interval_s=10.0)
    return drive(follower, CITY, scenario, Path(mkdtemp(dir=cases.scratch())))


@cache
def of_the_network() -> Witness:
    return drive(PlanFollower(interval_s=10.0), CITY, BUSY, cases.scratch())


def test_equal_greens_are_the_plan_of_a_generated_city() -> None:
    uniform = followed(uniform_programs(CITY, UniformConfig(cycle_s=90), step_s=1.0))
    assert uniform.shown == of_the_network().shown
    shorter = followed(uniform_programs(CITY, UniformConfig(cycle_s=60), step_s=1.0))
    four = next(signal for signal in CITY.signals if len(signal.phases) == 4)
    assert set(green_lengths(shorter, four)) == {10}
    assert set(green_lengths(of_the_network(), four)) == {17, 18}


def test_a_cycle_without_room_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"controller\.\*\.cycle_s 30 \[s\] is too short for sig"):
        uniform_programs(CITY, UniformConfig(cycle_s=30), step_s=1.0)


def test_cycles_begin_at_their_offset() -> None:
    signal = CITY.signals[0]
    greens_s = [phase.duration_s for phase in signal.phases]
    shown = followed([fixed_program(signal, greens_s, offset_s=33.0)]).shown
    plan = of_the_network().shown
    assert shown[signal.id][33:] == plan[signal.id][:-33]
    assert shown[signal.id] != plan[signal.id]
    others = [other.id for other in CITY.signals[1:]]
    assert [shown[name] for name in others] == [plan[name] for name in others]


@pytest.mark.parametrize(("kind", "idle_s"), [("actuated", 5), ("delay_based", 20)])
def test_sumo_prolongs_greens_while_vehicles_come(kind: str, idle_s: int, tmp_path: Path) -> None:
    """They last from minimum to maximum; without vehicles one kind goes on, the other stays."""
    programs = (
        actuated_programs(CITY, ActuatedConfig(max_green_s=20))
        if kind == "actuated"
        else delay_based_programs(CITY, DelayBasedConfig(max_green_s=20))
    )
    nobody = followed(programs, cases.without_vehicles(tmp_path))
    busy = followed(programs)
    found = []
    for signal in CITY.signals:
        assert set(green_lengths(nobody, signal)) == {idle_s}
        found += green_lengths(busy, signal)
    assert 5 <= min(found) < 8
    assert max(found) == 20
    assert len(set(found)) > 5
    assert busy.shown != of_the_network().shown


def test_a_longer_minimum_green_counts() -> None:
    slow = replace(CITY, signals=(replace(CITY.signals[0], min_green_s=8.0),))
    (program,) = actuated_programs(slow, ActuatedConfig(max_green_s=5))
    assert set(program.green_range_s.values()) == {(8.0, 8.0)}
    planned = {p.duration_s for p in program.phases if p.state in program.green_range_s}
    assert planned == {8.0}


def test_chance_comes_from_the_seed_of_the_episode() -> None:
    one, other = (RandomPhase(CITY, RandomConfig(), step_s=1.0) for _ in range(2))

    def phases(controller: RandomPhase, seed: int) -> list[list[int]]:
        assert controller.begin(BUSY, seed) == ()
        return [controller.decide(state()).phase.tolist() for _ in range(30)]

    assert phases(one, 1) == phases(other, 1) == phases(one, 1)
    assert phases(one, 2) != phases(one, 1)
    drawn = phases(one, 3)
    for index, signal in enumerate(CITY.signals):
        assert {row[index] for row in drawn} == set(range(len(signal.phases)))
