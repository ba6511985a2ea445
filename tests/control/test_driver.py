"""The driver with real SUMO: what each signal shows, second by second."""

from dataclasses import replace

import libsumo
import numpy as np
import pytest
import traffic_cases as cases
from signal_cases import CROSS, SIGNALS, TEE, Drive, adjusted, cycle, go_to

from trafficrl.control.commands import FollowPlan, NextPhase
from trafficrl.errors import SimulationError

SIGNAL = SIGNALS[CROSS]
A, B, C, D = (phase.state for phase in SIGNAL.phases)
YELLOW = SIGNAL.yellow_state(0, 1)
RED = "r" * len(A)


def test_yellow_and_all_red_last_as_long_as_they_must() -> None:
    runs = Drive([go_to(0), go_to(1), go_to(1)]).runs()
    assert runs == [(A, 20), (YELLOW, 3), (RED, 2), (B, 35)]


def test_the_first_phase_needs_no_clearance() -> None:
    assert Drive([go_to(2)]).runs() == [(C, 20)]


def test_links_green_in_both_phases_stay_green() -> None:
    both = replace(SIGNAL.phases[1], state="G" + B[1:])
    other = replace(SIGNAL, phases=(SIGNAL.phases[0], both, *SIGNAL.phases[2:]))
    signals = (*SIGNALS[:CROSS], other, *SIGNALS[CROSS + 1 :])
    assert A[0] == "G"
    shown = Drive([go_to(0), go_to(1), go_to(0)], signals=signals).shown()
    assert {state[0] for state in shown} == {"G"}
    assert {state[1] for state in shown} == {"G", "y", "r"}


def test_an_early_request_is_refused_and_a_later_one_is_not() -> None:
    drive = Drive([go_to(0, 4), go_to(1, 1), go_to(2, 10), go_to(0, 10)])
    there, back = SIGNAL.yellow_state(0, 2), SIGNAL.yellow_state(2, 0)
    assert drive.runs() == [(A, 5), (there, 3), (RED, 2), (C, 5), (back, 3), (RED, 2), (A, 5)]
    assert [int(state.phase[CROSS]) for state in drive.states] == [0, 0, 0, 2, 0]


def test_minimum_green_counts_from_the_end_of_the_clearance() -> None:
    # At 13 s phase 1 has been green for 3 s, at 15 s for 5 s.
    drive = Drive([go_to(0, 5), go_to(1, 8), go_to(2, 2), go_to(3, 10)])
    assert drive.runs()[:4] == [(A, 5), (YELLOW, 3), (RED, 2), (B, 5)]
    assert [int(state.phase[CROSS]) for state in drive.states[1:]] == [0, 1, 1, 3]


def test_a_clearance_reaches_over_short_decisions() -> None:
    drive = Drive([go_to(0, 6), *[go_to(1, 2)] * 4])
    assert drive.runs() == [(A, 6), (YELLOW, 3), (RED, 2), (B, 3)]
    ages = [float(state.phase_age_s[CROSS]) for state in drive.states]
    assert ages == [0, 6, -3, -1, 1, 3]


def test_requests_during_a_clearance_are_refused() -> None:
    drive = Drive([go_to(0, 6), go_to(1, 1), go_to(2, 1), go_to(3, 1), go_to(0, 8)])
    assert drive.runs() == [(A, 6), (YELLOW, 3), (RED, 2), (B, 6)]


def test_the_phase_asked_for_again_is_not_cleared() -> None:
    assert Drive([go_to(1), go_to(1), go_to(1)]).runs() == [(B, 60)]


def test_each_signal_goes_its_own_way() -> None:
    phases = np.arange(len(SIGNALS)) % 3
    drive = Drive([go_to(0), NextPhase(phases, 20.0)])
    for index, signal in enumerate(SIGNALS):
        assert drive.shown(index)[-1] == signal.phases[phases[index]].state


def test_durations_fill_each_cycle_and_every_phase_has_its_green() -> None:
    first, second = cycle([1, 1, 1, 1]), cycle([3, 0, 1, 2])
    drive = Drive([first, second, second], end_s=240.0)
    for index in (CROSS, TEE):
        signal = SIGNALS[index]
        count = len(signal.phases)
        greens = [phase.state for phase in signal.phases]
        lengths = [length for state, length in drive.runs(index) if state in greens]
        expected = [
            *first.green_s[index, :count],
            *second.green_s[index, :count],
            *second.green_s[index, :count],
        ]
        # Nothing is to be cleared when an episode begins: the first green has that time too.
        expected[0] += signal.clearance_s
        assert lengths == expected
        assert [state for state, _ in drive.runs(index) if state in greens] == greens * 3
        assert sum(length for _, length in drive.runs(index)) == 240
    assert [state.time_s for state in drive.states] == [0, 80, 160, 240]


def test_no_clearance_when_the_network_has_none() -> None:
    signals = adjusted(yellow_s=0.0, all_red_s=0.0)
    assert Drive([go_to(0), go_to(1)], signals=signals).runs() == [(A, 20), (B, 20)]
    durations = cycle([1, 2, 3, 1], signals)
    drive = Drive([durations, durations], signals=signals, end_s=160.0)
    assert [length for _, length in drive.runs()] == [*durations.green_s[CROSS]] * 2


@pytest.mark.parametrize(
    ("yellow_s", "all_red_s", "cleared"), [(4.0, 0.0, [(YELLOW, 4)]), (0.0, 3.0, [(RED, 3)])]
)
def test_yellow_or_all_red_alone(
    yellow_s: float, all_red_s: float, cleared: list[tuple[str, int]]
) -> None:
    signals = adjusted(yellow_s=yellow_s, all_red_s=all_red_s)
    runs = Drive([go_to(0, 10), go_to(1, 10)], signals=signals).runs()
    left = 10 - cleared[0][1]
    assert runs == [(A, 10), *cleared, (B, left)]


def test_half_second_steps() -> None:
    signals = adjusted(yellow_s=2.5, all_red_s=1.5)
    drive = Drive([go_to(0, 6.5), go_to(1, 10)], signals=signals, step_s=0.5)
    assert drive.runs() == [(A, 13), (YELLOW, 5), (RED, 3), (B, 12)]
    assert drive.states[-1].time_s == 16.5
    assert drive.states[-1].phase_age_s[CROSS] == 6.0


def test_the_last_decision_ends_with_the_scenario() -> None:
    drive = Drive([go_to(0), go_to(1), go_to(2)], end_s=47.0)
    assert drive.finished
    assert [(s.time_s, s.interval_s) for s in drive.states[-2:]] == [(40, 20), (47, 7)]
    assert len(drive.shown()) == 47


def test_a_cycle_cut_by_the_end_reports_the_phase_that_is_green() -> None:
    durations = cycle([1, 1, 1, 1])
    drive = Drive([durations], end_s=32.0)
    assert drive.runs()[-1][0] == B
    last = drive.states[-1]
    assert (int(last.phase[CROSS]), float(last.phase_age_s[CROSS])) == (1, drive.runs()[-1][1])


def test_nothing_comes_after_the_end() -> None:
    with pytest.raises(AssertionError, match="over"):
        Drive([go_to(0), go_to(0)], end_s=20.0)


def bare_sumo(steps: int) -> list[str]:
    """What the signal shows when nobody but SUMO is there."""
    scenario = cases.scenario()
    files = ["--net-file", str(scenario.net_file), "--route-files", str(scenario.route_files[0])]
    libsumo.start(["sumo", *files, "--no-step-log", "true", "--seed", "3", "--no-warnings", "true"])
    shown = []
    for _ in range(steps):
        libsumo.simulationStep()
        shown.append(libsumo.trafficlight.getRedYellowGreenState(SIGNAL.id))
    libsumo.close()
    return shown


def test_the_plan_is_what_sumo_does_alone() -> None:
    assert Drive([FollowPlan(10.0)] * 12).shown() == bare_sumo(120)


def plan_at(time_s: int) -> tuple[int, float]:
    """Phase and its age by the durations of the plan alone."""
    left_s = time_s % SIGNAL.cycle_s
    for phase, planned in enumerate(SIGNAL.phases):
        if left_s <= planned.duration_s and (left_s or not time_s):
            return phase, left_s
        left_s -= planned.duration_s + SIGNAL.clearance_s
        if left_s <= 0:
            return (phase + 1) % len(SIGNAL.phases), left_s
    raise AssertionError(time_s)


def test_the_plan_reports_its_phases_and_their_age() -> None:
    drive = Drive([FollowPlan(1.0)] * 120)
    seen = [(int(s.phase[CROSS]), float(s.phase_age_s[CROSS])) for s in drive.states]
    expected = [plan_at(time_s) for time_s in range(121)]
    expected[90] = (0, 0.0)  # where one cycle meets the next, the next one's green begins
    assert seen == expected
    assert {age_s for _, age_s in seen} >= {-4.0, 0.0, 17.0}


def test_a_plan_that_shows_no_known_phase_is_told() -> None:
    other = replace(
        SIGNAL, phases=tuple(replace(phase, state="o" * len(A)) for phase in SIGNAL.phases)
    )
    signals = (*SIGNALS[:CROSS], other, *SIGNALS[CROSS + 1 :])
    told = f"signal {SIGNAL.id}: its program in SUMO shows none of its phases"
    with pytest.raises(SimulationError, match=told):
        Drive([], signals=signals)
