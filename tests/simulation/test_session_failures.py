"""What a user sees when SUMO refuses or dies: one line, nothing left running, room for the next."""

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import libsumo
import pytest
import traffic_cases as cases

from trafficrl.config.execution import Backend
from trafficrl.config.simulation import SimulationConfig
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import SimulationError
from trafficrl.simulation.options import SimulationOptions
from trafficrl.simulation.session import SumoSession

BOTH = pytest.mark.parametrize("backend", list(Backend), ids=lambda backend: backend.name)


def run(scenario: Scenario, backend: Backend, *, steps: int = 100, **options: Any) -> None:
    with cases.session(scenario, backend=backend, **options) as session:
        for _ in range(steps):
            session.step()


def failure_of(scenario: Scenario, backend: Backend, **options: Any) -> str:
    """The one line of the failure; nothing runs any more, and a good session works."""
    with pytest.raises(SimulationError) as caught:
        run(scenario, backend, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert not libsumo.isLoaded()
    assert not cases.sumo_processes()
    gc.collect()  # what was left open would warn now, and a warning is an error
    run(cases.scenario(), Backend.libsumo, steps=5)
    return message


def with_routes(text: str, folder: Path) -> Scenario:
    file = folder / "demand.rou.xml"
    file.write_text(text, encoding="utf-8")
    return replace(cases.scenario(), route_files=(file,))


def vehicle(name: str, depart_s: int, edges: str) -> str:
    return f'<vehicle id="{name}" depart="{depart_s}"><route edges="{edges}"/></vehicle>'


GOOD = cases.scenario().route_files[0].read_text(encoding="utf-8")
EDGES = cases.city().streets[0].tail
DAMAGED: dict[str, tuple[str, str]] = {
    "empty": ("", "at 0 s"),
    "no XML": ("hello", "at 0 s"),
    "cut in a type": (GOOD[:300], "at 0 s"),
    "cut among the vehicles": (GOOD[: len(GOOD) // 2], "at 2 s"),
    "an edge that is not": (f"<routes>{vehicle('a', 0, 'NOPE')}</routes>", "NOPE"),
    "a gap in a way": (f"<routes>{vehicle('a', 7, f'{EDGES} {EDGES}')}</routes>", "at 7 s"),
}


@BOTH
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_route_file(backend: Backend, damage: str, tmp_path: Path) -> None:
    text, shown = DAMAGED[damage]
    scenario = with_routes(text, tmp_path)
    message = failure_of(scenario, backend)
    assert shown in message
    assert repr(scenario.name) in message
    assert str(scenario.route_files[0]) in message
    assert "(seed 3)" in message


@BOTH
@pytest.mark.parametrize("share", [0.0, 0.5], ids=["empty", "cut"])
def test_a_damaged_net_file(backend: Backend, share: float, tmp_path: Path) -> None:
    text = cases.city().net_file.read_text(encoding="utf-8")
    net_file = tmp_path / "damaged.net.xml"
    net_file.write_text(text[: int(share * len(text))], encoding="utf-8")
    message = failure_of(replace(cases.scenario(), net_file=net_file), backend)
    assert "would not start at 0 s" in message
    assert str(net_file) in message
    assert "Process Error" not in message


@BOTH
@pytest.mark.parametrize("which", ["net", "route"])
def test_a_missing_file(backend: Backend, which: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone.xml"
    good = cases.scenario()
    other = replace(good, net_file=gone) if which == "net" else replace(good, route_files=(gone,))
    message = failure_of(other, backend)
    assert message == f"scenario {cases.scenario().name!r}: no file {gone}"


@pytest.mark.parametrize("name", ["lr=1,seed=2", "of ${HOME}"])
def test_a_path_that_sumo_would_read_otherwise(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    scenario = with_routes(GOOD, tmp_path / name)
    message = failure_of(scenario, Backend.libsumo)
    assert str(scenario.route_files[0]) in message
    assert "choose a folder" in message


@BOTH
def test_an_option_that_sumo_cannot_read(backend: Backend) -> None:
    unreadable = SimulationConfig(options={"lateral-resolution": "wide"})
    message = failure_of(cases.scenario(), backend, simulation=unreadable)
    assert "Could not parse commandline options" in message


def test_the_command_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "two words"
    folder.mkdir()
    message = failure_of(with_routes("", folder), Backend.libsumo)
    assert f"--route-files '{folder}/demand.rou.xml'" in message


@BOTH
def test_a_signal_that_is_not(backend: Backend) -> None:
    with cases.session(cases.scenario(), backend=backend) as session:
        session.step()
        with pytest.raises(SimulationError, match=r"SUMO failed at 1 s .*NOPE"):
            session.show("NOPE", "G")


ASKING: dict[str, Callable[[SumoSession], object]] = {
    "step": lambda session: session.step(),
    "show": lambda session: session.show(cases.city().signals[0].id, "G"),
    "shown": lambda session: session.read_shown(cases.city().signals[0].id),
    "plan": lambda session: session.read_plan(cases.city().signals[0].id),
    "arrived": lambda session: session.read_arrived(),
    "totals": lambda session: session.read_totals(0),
    "lanes": lambda session: session.read_lanes([cases.city().lanes[0].id]),
}


@pytest.mark.parametrize("asked", ASKING)
def test_sumo_killed_under_traci(asked: str) -> None:
    session = SumoSession(
        cases.scenario(), SimulationOptions(step_s=1.0, seed=3, backend=Backend.traci)
    )
    session.step()
    cases.kill_sumo()
    with pytest.raises(SimulationError, match=r"at 1 s in scenario .*Connection"):
        ASKING[asked](session)
    session.close()
    assert not cases.sumo_processes()


def test_sumo_killed_before_it_is_closed() -> None:
    session = SumoSession(
        cases.scenario(), SimulationOptions(step_s=1.0, seed=3, backend=Backend.traci)
    )
    session.step()
    cases.kill_sumo()
    with pytest.raises(SimulationError, match="would not close at 1 s"):
        session.close()
    session.close()
    assert not cases.sumo_processes()
