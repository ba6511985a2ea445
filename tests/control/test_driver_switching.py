"""One kind of command after another, commands that no signal can carry out, and random ones."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import traffic_cases as cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from signal_cases import (
    CROSS,
    NETWORK,
    SIGNALS,
    TEE,
    Drive,
    adjusted,
    cycle,
    go_to,
    green_links,
)

from trafficrl.control.commands import Command, FollowPlan, NextPhase, PhaseDurations
from trafficrl.control.driver import SignalDriver
from trafficrl.network.signals import Signal
from trafficrl.simulation.reader import StateReader

SIGNAL = SIGNALS[CROSS]
A, B, C, D = (phase.state for phase in SIGNAL.phases)
YELLOW = SIGNAL.yellow_state(0, 1)
RED = "r" * len(A)


def test_a_phase_that_the_plan_shows_is_held_by_the_command() -> None:
    assert Drive([FollowPlan(10), go_to(0, 50)]).runs() == [(A, 60)]


@pytest.mark.parametrize("taken_over_s", [19, 20, 21, 22, 23, 24])
def test_the_plan_ends_its_clearance_when_a_command_takes_over(taken_over_s: int) -> None:
    """Its green ends at 18 s: the clearance goes on, and the next green is held."""
    runs = Drive([FollowPlan(taken_over_s), go_to(0, 4), go_to(1, 50)]).runs()
    assert runs == [(A, 18), (YELLOW, 3), (RED, 2), (B, taken_over_s + 31)]


def test_minimum_green_is_kept_when_a_command_takes_over() -> None:
    at_two_seconds = Drive([FollowPlan(25), go_to(3, 4), go_to(3, 10)]).runs()
    assert at_two_seconds[3:] == [(B, 6), (SIGNAL.yellow_state(1, 3), 3), (RED, 2), (D, 5)]
    at_six_seconds = Drive([FollowPlan(29), go_to(3, 10)]).runs()
    assert at_six_seconds[3:] == [(B, 6), (SIGNAL.yellow_state(1, 3), 3), (RED, 2), (D, 5)]


def test_the_plan_cannot_come_back() -> None:
    for command in (go_to(0), cycle([1, 1, 1, 1])):
        with pytest.raises(ValueError, match="plan cannot go on"):
            Drive([command, FollowPlan(10)])


def test_durations_after_phases_wait_for_the_minimum_green() -> None:
    # At 24 s phase 2 is being cleared for, so the cycle begins with its minimum green.
    drive = Drive([go_to(1), go_to(2, 4), cycle([1, 1, 1, 1])])
    lengths = dict(drive.runs()[:4])
    assert drive.runs()[0] == (B, 20)
    assert lengths[C] == SIGNAL.min_green_s
    assert [state for state, _ in drive.runs() if state in (A, B, C, D)] == [B, C, A, B, C, D]
    assert sum(length for _, length in drive.runs()) == 104


def test_phases_after_durations() -> None:
    drive = Drive([cycle([1, 1, 1, 1]), go_to(1, 20)], end_s=240.0)
    assert [state for state, _ in drive.runs() if state in (A, B, C, D)] == [A, B, C, D, B]


BAD: dict[str, tuple[Command, str]] = {
    "a phase that is not": (
        NextPhase(np.array([0] * TEE + [3] + [0] * (8 - TEE)), 10.0),
        f"signal {SIGNALS[TEE].id} has 3 phases, got 3",
    ),
    "a negative phase": (NextPhase(np.full(9, -1), 10.0), f"signal {SIGNALS[0].id} has"),
    "greens that do not fill": (
        PhaseDurations(np.full((9, 4), 10.0), 80.0),
        rf"signal {SIGNALS[0].id}: greens and clearances last \d+ of 80 \[s\]",
    ),
    "a short green": (
        PhaseDurations(np.full((9, 4), [4.0, 20.0, 20.0, 20.0]), 80.0),
        rf"signal {SIGNALS[0].id}: greens must be >= 5 \[s\]",
    ),
    "no number": (PhaseDurations(np.full((9, 4), np.nan), 80.0), f"signal {SIGNALS[0].id}: greens"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_command_that_no_signal_can_carry_out(mistake: str) -> None:
    command, message = BAD[mistake]
    with pytest.raises(ValueError, match=message):
        Drive([command])


def test_a_refused_command_leaves_every_signal_as_it_was() -> None:
    last_is_wrong = NextPhase(np.array([1] * 8 + [9]), 10.0)
    with cases.session(cases.scenario()) as session:
        driver = SignalDriver(session, SIGNALS, StateReader(session, NETWORK, sample_s=5.0))
        driver.start()
        driver.advance(FollowPlan(20.0))
        with pytest.raises(ValueError, match="got 9"):
            driver.advance(last_is_wrong)
        driver.advance(FollowPlan(10.0))
        assert session.time_s == 30
        assert session.read_shown(SIGNAL.id) == B


# --- whatever is commanded, no signal endangers anybody


def check_safety(runs: Sequence[tuple[str, int]], signal: Signal) -> None:
    """Greens of one phase only, each as long as it must; between two of them a whole clearance."""
    greens = [phase.state for phase in signal.phases]
    at = [index for index, (state, _) in enumerate(runs) if state in greens]
    for state, _ in runs:
        assert any(green_links(state) <= green_links(green) for green in greens)
    assert at[0] == 0
    for here, there in pairwise(at):
        before, after = runs[here][0], runs[there][0]
        assert runs[here][1] >= signal.min_green_s
        assert list(runs[here + 1 : there]) == clearance(signal, before, after)
    for state, _ in runs[at[-1] + 1 :]:  # cut by the end: still no other phase's green
        assert green_links(state) <= green_links(runs[at[-1]][0])


def clearance(signal: Signal, before: str, after: str) -> list[tuple[str, int]]:
    """Letter by letter: what loses its green is yellow, then red; the rest waits or goes on."""
    yellow, red = "", ""
    for a, b in zip(before, after, strict=True):
        stays = a in "Gg" and b in "Gg"
        loses = a in "Gg" and b not in "Gg"
        yellow += "y" if loses else a
        red += a if stays or a not in "Gg" else "r"
    parts = [(yellow, round(signal.yellow_s)), (red, round(signal.all_red_s))]
    return [part for part in parts if part[1]]


PHASES = st.builds(
    lambda phases, interval_s: NextPhase(
        np.array([p % len(s.phases) for p, s in zip(phases, SIGNALS, strict=True)]), interval_s
    ),
    st.lists(st.integers(0, 11), min_size=9, max_size=9),
    st.integers(1, 14).map(float),
)
SHARES = st.lists(st.integers(0, 9), min_size=4, max_size=4)
CLEARANCES = st.sampled_from([(3.0, 2.0), (3.0, 0.0), (0.0, 1.0), (0.0, 0.0), (5.0, 4.0)])


@settings(max_examples=30, deadline=None)
@given(
    plan_s=st.integers(0, 40),
    phases=st.lists(PHASES, max_size=25),
    shares=st.lists(SHARES, max_size=2),
    more=st.lists(PHASES, max_size=10),
    clearance_s=CLEARANCES,
    min_green_s=st.sampled_from([1.0, 5.0, 8.0]),
)
@example(
    plan_s=22, phases=[], shares=[[0, 0, 9, 0]], more=[], clearance_s=(3.0, 2.0), min_green_s=5.0
)
def test_no_sequence_of_commands_is_unsafe(
    *,
    plan_s: int,
    phases: list[NextPhase],
    shares: list[list[int]],
    more: list[NextPhase],
    clearance_s: tuple[float, float],
    min_green_s: float,
) -> None:
    # The plan in the net file has the usual clearance; only then can it come first.
    usual = clearance_s == (3.0, 2.0)
    yellow_s, all_red_s = clearance_s
    signals = adjusted(yellow_s=yellow_s, all_red_s=all_red_s, min_green_s=min_green_s)
    commands: list[Command] = [FollowPlan(float(plan_s))] if usual and plan_s else []
    commands += [*phases, *[cycle(weights, signals) for weights in shares], *more]
    drive = Drive(commands or [go_to(0)], signals=signals, end_s=900.0)
    for index, signal in enumerate(signals):
        check_safety(drive.runs(index), signal)
        last = drive.states[-1]
        shown = drive.shown(index)[-1]
        if last.phase_age_s[index] > 0:
            assert shown == signal.phases[int(last.phase[index])].state
