"""Whatever is commanded, no signal endangers anybody: random cities, plans and commands in SUMO."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from safety_cases import (
    ALL_RED,
    DRIVER_CONFLICT,
    NOT_CLEARED,
    PLAN_CONFLICT,
    SHORT_GREEN,
    YELLOW,
    Witness,
    check_every_change,
    check_signal,
    conflicts,
    nobody,
    random_commands,
    random_durations,
    random_phases,
    watch,
)

from trafficrl.config.network import GridConfig, SignalsConfig, Strategy
from trafficrl.control.commands import Command, FollowPlan, NextPhase, PhaseDurations
from trafficrl.errors import NetworkError
from trafficrl.network.build import build_network
from trafficrl.network.signals import GREEN, Phase, Signal

BOTH_KINDS = pytest.mark.parametrize("kind", [NextPhase, PhaseDurations])
CITY = cases.city()
"""Yellow 3 s, all-red 2 s, minimum green 5 s."""


# --- what the signals show, in any city


@st.composite
def cities(draw: st.DrawFn) -> GridConfig:
    strategy = draw(st.sampled_from(Strategy))
    fewest = 2 if strategy is Strategy.partial_opposites else 0
    lanes: list[int | str] = ["random", *range(fewest, 4)]
    clearances = [(3.0, 2.0), (3.0, 0.0), (0.0, 1.0), (0.0, 0.0), (4.5, 2.5)]
    yellow_s, all_red_s = draw(st.sampled_from(clearances))
    return GridConfig(
        network_seed=draw(st.integers(0, 99)),
        grid_dimension=draw(st.integers(2, 4)),
        junctions_to_remove=draw(st.integers(0, 1)),
        block_size_m=150,
        lane_count=draw(st.sampled_from(lanes)),
        traffic_light_strategy=strategy,
        step_length=draw(st.sampled_from([0.5, 0.25])),
        signals=SignalsConfig(
            yellow_s=yellow_s,
            all_red_s=all_red_s,
            min_green_s=draw(st.sampled_from([1.0, 5.0, 8.0])),
        ),
    )


def commands(
    signals: tuple[Signal, ...], *, plan_steps: int, kinds: list[type[Command]], seed: int
) -> Iterator[Command]:
    """The network's own plan for so many half seconds, then a random command of each kind."""
    rng = np.random.default_rng(seed)
    if plan_steps:
        yield FollowPlan(0.5 * plan_steps)
    for kind in kinds:
        if kind is NextPhase:
            yield random_phases(signals, rng, 0.5 * int(rng.integers(1, 30)))
        else:
            yield random_durations(signals, rng, step_s=0.5)


KINDS = st.lists(st.sampled_from([*[NextPhase] * 6, PhaseDurations]), min_size=1, max_size=30)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(config=cities(), plan_steps=st.integers(0, 120), kinds=KINDS, seed=st.integers(0, 2**32 - 1))
def test_no_city_and_no_sequence_of_commands_is_unsafe(
    config: GridConfig, plan_steps: int, kinds: list[type[Command]], seed: int
) -> None:
    try:
        network = build_network(config, cases.scratch())
    except NetworkError as error:
        assume("falls apart" not in str(error) and "one vehicle" not in str(error))
        raise
    witness = watch(
        network,
        nobody(network, cases.scratch(), end_s=400.0),
        commands(network.signals, plan_steps=plan_steps, kinds=kinds, seed=seed),
        step_s=config.step_length,
    )
    assert witness.violations() == []


@pytest.mark.parametrize("strategy", Strategy)
def test_every_phase_leads_to_every_other(strategy: Strategy, tmp_path: Path) -> None:
    grid = GridConfig(
        network_seed=7,
        grid_dimension=3,
        block_size_m=150,
        lane_count=2,
        traffic_light_strategy=strategy,
    )
    check_every_change(build_network(grid, cases.scratch()), tmp_path)


@BOTH_KINDS
@pytest.mark.parametrize("begin_s", [0.0, 10.0, 17.0, 18.0, 20.0, 21.0, 22.0, 23.0, 24.0])
def test_an_episode_may_begin_anywhere_in_the_plan(
    begin_s: float, kind: type[Command], tmp_path: Path
) -> None:
    """From 18 s on its plan clears the first phase, from 23 s on it shows the second."""
    empty = nobody(CITY, tmp_path, begin_s=begin_s, end_s=120.0)
    asked = list(islice(random_commands(CITY.signals, kind, seed=2), 12))
    witness = watch(CITY, empty, asked)
    assert witness.violations() == []
    for index, signal in enumerate(CITY.signals):
        first = int(asked[0].phase[index]) if isinstance(asked[0], NextPhase) else 0
        assert witness.shown[signal.id][0] == signal.phases[first].state


# --- a driver or a plan that does wrong is found out


def driven(told: tuple[Signal, ...], tmp_path: Path) -> Witness:
    """The city's signals as a driver shows them that was told something else."""
    asked = islice(random_commands(told, NextPhase, seed=5), 30)
    return watch(CITY, nobody(CITY, tmp_path, end_s=300.0), asked, signals=told)


def adjusted(**changes: Any) -> tuple[Signal, ...]:
    return tuple(replace(signal, **changes) for signal in CITY.signals)


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, set()),
        ({"yellow_s": 0.0}, {NOT_CLEARED}),
        ({"yellow_s": 2.0}, {YELLOW}),
        ({"yellow_s": 4.0}, {YELLOW}),
        ({"all_red_s": 1.0}, {ALL_RED}),
        ({"all_red_s": 0.0}, {ALL_RED}),
        ({"min_green_s": 1.0, "all_red_s": 6.0}, {SHORT_GREEN}),
    ],
)
def test_a_driver_that_cuts_corners_is_caught(
    changes: dict[str, float], kinds: set[str], tmp_path: Path
) -> None:
    assert {v.kind for v in driven(adjusted(**changes), tmp_path).violations()} == kinds


def test_crossing_greens_are_caught_and_told_from_those_of_the_plan(tmp_path: Path) -> None:
    def unsound(signal: Signal) -> Signal:
        everybody = Phase("all", "G" * len(signal.phases[0].state), 20.0)
        return replace(signal, phases=(everybody, *signal.phases[1:]))

    told = tuple(map(unsound, CITY.signals))
    witness = driven(told, tmp_path)
    assert {v.kind for v in witness.violations()} == {DRIVER_CONFLICT}
    assert {v.signal for v in witness.violations()} == {signal.id for signal in CITY.signals}
    assert {v.kind for v in witness.violations(told)} == {PLAN_CONFLICT}


def signal_of(*states: str, **changes: float) -> Signal:
    times: dict[str, Any] = {"yellow_s": 2.0, "all_red_s": 1.0, "min_green_s": 3.0, **changes}
    phases = tuple(Phase(state, state, 10.0) for state in states)
    return Signal("one", phases, **times, incoming_lanes=(), outgoing_lanes=())


SHOWN: dict[str, tuple[Signal, list[tuple[str, int]], set[str]]] = {
    "a phase of links that are green before and after too": (
        signal_of("Grr", "GGr", "rGr"),
        [("Grr", 9), ("GGr", 2), ("yGr", 2), ("rGr", 5)],
        {SHORT_GREEN},
    ),
    "a clearance that looks like a third phase": (
        signal_of("GGr", "GrG", "Grr"),
        [("GGr", 9), ("Gyr", 2), ("Grr", 1), ("GrG", 5)],
        set(),
    ),
    "a link that may go after a stop": (
        signal_of("Gs", "rG"),
        [("Gs", 9), ("ys", 2), ("rr", 1), ("rG", 3), ("ry", 2), ("rr", 1), ("Gs", 3)],
        set(),
    ),
    "yellow after that, which is none": (signal_of("sG", "rG"), [("sG", 5), ("yG", 2)], {YELLOW}),
    "yellow for nothing": (signal_of("Gr", "rG"), [("Gr", 5), ("yr", 2), ("Gr", 5)], {YELLOW}),
    "protected, then yielding": (
        signal_of("Gr", "gG"),
        [("Gr", 5), ("Gr", 3), ("gG", 5)],
        set(),
    ),
    "no all-red to keep": (
        signal_of("Gr", "rG", all_red_s=0.0),
        [("Gr", 5), ("yr", 2), ("rG", 5), ("ry", 2), ("Gr", 1)],
        set(),
    ),
}


@pytest.mark.parametrize("case", SHOWN)
def test_letters_that_only_published_plans_have(case: str) -> None:
    signal, runs, kinds = SHOWN[case]
    shown = list(chain.from_iterable([state] * length for state, length in runs))
    faults = check_signal(signal, shown, foes=frozenset(), step_s=1.0)
    assert {fault.kind for fault in faults} == kinds


def test_conflicts_are_those_of_the_net_file() -> None:
    """A left turn meets the oncoming stream, and nobody meets those who come from his own lane."""
    signal = next(signal for signal in CITY.signals if len(signal.phases) == 4)
    foes = conflicts(CITY.net_file)[signal.id]
    ahead, left = (
        [link for link, letter in enumerate(phase.state) if letter in GREEN]
        for phase in signal.phases[:2]
    )
    assert any((min(pair), max(pair)) in foes for pair in product(ahead, left))
    for one, other in foes:
        assert signal.incoming_lanes[one] != signal.incoming_lanes[other]
