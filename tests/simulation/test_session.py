"""A session with real SUMO: begin, steps, end, and what both backends agree on."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import libsumo
import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.execution import Backend
from trafficrl.errors import SimulationError
from trafficrl.simulation.options import SimulationOptions, sumo_arguments
from trafficrl.simulation.session import SumoSession

LANES = [lane.id for lane in cases.city().lanes]


def lanes_and_counts(session: SumoSession, *, steps: int) -> list[tuple[object, ...]]:
    """What can be read in each second, while one signal is commanded."""
    signal = cases.city().signals[0]
    seen: list[tuple[object, ...]] = []
    for step in range(steps):
        session.show(signal.id, signal.phases[step // 20 % len(signal.phases)].state)
        session.step()
        seen.append(
            (
                session.time_s,
                session.read_lanes(LANES).tolist(),
                session.read_totals(0),
                session.read_arrived(),
                [session.read_shown(other.id) for other in cases.city().signals],
                session.read_plan(cases.city().signals[1].id),
            )
        )
    return seen


def test_time_goes_from_begin_to_end() -> None:
    with cases.session(cases.scenario()) as session:
        assert session.time_s == 0
        for _ in range(30):
            session.step()
        assert session.time_s == 30
        assert libsumo.simulation.getTime() == 30


def test_half_second_steps() -> None:
    with cases.session(cases.scenario(), step_s=0.5) as session:
        for _ in range(7):
            session.step()
        assert session.time_s == 3.5
        assert libsumo.simulation.getTime() == 3.5


def test_an_episode_may_begin_late() -> None:
    with cases.session(replace(cases.scenario(), begin_s=60.0)) as session:
        session.step()
        assert session.time_s == libsumo.simulation.getTime() == 61


def test_closing_twice_does_nothing() -> None:
    session = SumoSession(cases.scenario(), SimulationOptions(step_s=1.0, seed=3))
    session.close()
    session.close()
    assert not libsumo.isLoaded()


def test_leaving_the_block_by_an_error_closes_sumo() -> None:
    with pytest.raises(KeyError), cases.session(cases.scenario()):
        raise KeyError("ours")
    assert not libsumo.isLoaded()


def test_a_second_libsumo_session_is_refused() -> None:
    with cases.session(cases.scenario()) as first:
        with pytest.raises(SimulationError, match="one simulation a process"):
            SumoSession(cases.scenario(), SimulationOptions(step_s=1.0, seed=3))
        first.step()
        assert first.time_s == libsumo.simulation.getTime() == 1


def test_a_forgotten_libsumo_session_is_in_nobodys_way() -> None:
    forgotten = SumoSession(cases.scenario(), SimulationOptions(step_s=1.0, seed=3))
    forgotten.step()
    del forgotten
    with cases.session(cases.scenario()) as session:
        session.step()
        assert session.time_s == libsumo.simulation.getTime() == 1
    assert not libsumo.isLoaded()


def test_traci_sees_what_libsumo_sees() -> None:
    with cases.session(cases.scenario()) as session:
        ours = lanes_and_counts(session, steps=60)
    with cases.session(cases.scenario(), backend=Backend.traci) as session:
        theirs = lanes_and_counts(session, steps=60)
    assert ours == theirs
    assert ours[-1][2] != ours[0][2]


def test_two_traci_sessions_run_side_by_side() -> None:
    with (
        cases.session(cases.scenario(), backend=Backend.traci) as one,
        cases.session(cases.scenario(), backend=Backend.traci, seed=4) as other,
    ):
        for _ in range(40):
            one.step()
        for _ in range(10):
            other.step()
        assert (one.time_s, other.time_s) == (40, 10)
        assert one.read_running() > other.read_running() > 0


def test_traci_writes_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with cases.session(cases.scenario(), backend=Backend.traci) as session:
        session.step()
    assert capfd.readouterr() == ("", "")


def test_the_drivers_seed_decides_the_traffic() -> None:
    seen = []
    for seed in (3, 3, 4):
        with cases.session(cases.scenario(), seed=seed) as session:
            for _ in range(40):
                session.step()
            seen.append(session.read_lanes(LANES))
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])


def test_outputs_are_whole_after_closing(tmp_path: Path) -> None:
    with cases.session(cases.scenario(), output_dir=tmp_path) as session:
        for _ in range(120):
            session.step()
        totals = session.read_totals(0)
    trips = cases.trips_of(tmp_path / "tripinfo.xml")
    assert len(trips) == cases.scenario().num_scheduled
    running = [t for t in trips if float(t["arrival"]) < 0 <= float(t["depart"])]
    assert len(running) == totals.running_veh
    assert (tmp_path / "statistics.xml").read_text().rstrip().endswith("</statistics>")


def test_times_of_many_digits_reach_sumo_whole() -> None:
    arguments = sumo_arguments(
        replace(cases.scenario(), end_s=123456.75), SimulationOptions(step_s=0.25, seed=3)
    )
    assert arguments[arguments.index("--end") + 1] == "123456.75"


def test_a_plan_is_read_with_the_seconds_it_has_left() -> None:
    signal = cases.city().signals[0]
    with cases.session(cases.scenario()) as session:
        for _ in range(7):
            session.step()
        plan = session.read_plan(signal.id)
    first, second = signal.phases[:2]
    assert plan[0] == (-7.0, first.state)
    assert plan[1] == (first.duration_s - 7, signal.yellow_state(0, 1))
    assert plan[3] == (first.duration_s + signal.clearance_s - 7, second.state)
    assert len(plan) == 3 * len(signal.phases)


def test_importing_traci_first_changes_no_exception() -> None:
    """libsumo puts its own class in the place of one of traci's: both must be caught."""
    code = (
        "import sys, traci; original = traci.TraCIException;"
        "from trafficrl.simulation.backend import SUMO_ERRORS; import libsumo;"
        "sys.exit(not {original, libsumo.TraCIException} <= set(SUMO_ERRORS))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
