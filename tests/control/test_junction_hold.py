"""All-red is prolonged while a left turn stands inside the junction, in real SUMO."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.network import GridConfig, SignalsConfig, Strategy
from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.control.driver import SignalDriver
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import ConfigError
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.network.signals import GREEN, Signal
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession

CLEARANCE_S = 3
HOLD_S = 6
END_S = 600.0


@cache
def city(hold_s: float = HOLD_S) -> Network:
    """Left turns yield to the oncoming stream, and nothing but yellow lies between two phases."""
    signals = SignalsConfig(
        yellow_s=CLEARANCE_S, all_red_s=0.0, all_red_hold_s=hold_s, min_green_s=5.0
    )
    grid = GridConfig(
        network_seed=7,
        grid_dimension=3,
        block_size_m=150,
        lane_count=1,
        traffic_light_strategy=Strategy.opposites,
        signals=signals,
    )
    return build_network(grid, cases.scratch())


@cache
def heavy() -> Scenario:
    config = cases.scenario_config(num_vehicles=900)
    folder = cases.scratch() / "hold"
    return build_scenario("heavy", config, city(), seeds=None, end_s=END_S, folder=folder)


@dataclass
class Seen:
    """Of one step and signal: what it shows in it, and where vehicles stand before it."""

    state: str
    standing: set[str]


class Watching(StateReader):
    """A reader that notes each step."""

    def __init__(self, session: SumoSession, network: Network) -> None:
        super().__init__(session, network, sample_s=5.0)
        self._watched, self._signals = session, network.signals
        self.seen: list[list[Seen]] = [[] for _ in network.signals]
        self._before: list[set[str]] = [set() for _ in network.signals]

    def tick(self) -> None:
        super().tick()
        for index, signal in enumerate(self._signals):
            state = self._watched.read_shown(signal.id)
            self.seen[index].append(Seen(state, self._before[index]))
            edges = {edge for inner in signal.inner_edges for edge in inner}
            self._before[index] = {e for e in edges if self._watched.count_standing([e])}


def driven(hold_s: float, commands: Iterator[Command]) -> list[list[Seen]]:
    network = city(hold_s)
    with cases.session(heavy()) as session:
        reader = Watching(session, network)
        driver = SignalDriver(session, network.signals, reader)
        driver.start()
        while not driver.finished:
            state = driver.advance(next(commands))
            assert (state.phase_age_s >= -HOLD_S - CLEARANCE_S).all()
    return reader.seen


def every_ten_seconds() -> Iterator[NextPhase]:
    """Each signal changes whenever it may."""
    step = 0
    while True:
        phases = [step % len(signal.phases) for signal in city().signals]
        yield NextPhase(np.array(phases), 10.0)
        step += 1


def a_cycle_each() -> Iterator[PhaseDurations]:
    rows = np.zeros((len(city().signals), 4))
    for row, signal in zip(rows, city().signals, strict=True):
        count = len(signal.phases)
        # Of 60 s: the greens after the first are so short that hardly anything can be put off.
        row[:count] = 7.0
        row[0] = 60.0 - CLEARANCE_S * count - 7.0 * (count - 1)
    while True:
        yield PhaseDurations(rows, 60.0)


@dataclass(frozen=True)
class Change:
    """From one green of a signal to another."""

    clearance_s: int
    green_s: int
    locked_in: bool
    """A vehicle stood inside, where the new green closes, when it began."""


def changes(signal: Signal, seen: Sequence[Seen]) -> Iterator[Change]:
    greens = {phase.state for phase in signal.phases}
    runs: list[tuple[bool, int, Seen]] = []
    for one in seen:
        is_green = one.state in greens
        if runs and runs[-1][0] == is_green and (not is_green or runs[-1][2].state == one.state):
            runs[-1] = (is_green, runs[-1][1] + 1, runs[-1][2])
        else:
            runs.append((is_green, 1, one))
    for (before, clearance_s, _), (is_green, green_s, first) in pairwise(runs[1:-1]):
        if is_green and not before:
            links = list(zip(signal.inner_edges, first.state, strict=True))
            opened = {edge for inner, letter in links if letter in GREEN for edge in inner}
            yield Change(clearance_s, green_s, bool(first.standing - opened))


def all_changes(hold_s: float, commands: Iterator[Command]) -> list[Change]:
    seen = driven(hold_s, commands)
    pairs = zip(city().signals, seen, strict=True)
    return [change for signal, steps in pairs for change in changes(signal, steps)]


def test_a_green_waits_for_those_whom_it_would_lock_in() -> None:
    found = all_changes(HOLD_S, every_ten_seconds())
    held = [change for change in found if change.clearance_s > CLEARANCE_S]
    assert held
    assert {change.clearance_s for change in found} <= set(range(3, CLEARANCE_S + HOLD_S + 1))
    assert all(c.clearance_s == CLEARANCE_S + HOLD_S for c in found if c.locked_in)
    assert all(change.green_s >= 5 for change in found)


def test_it_does_not_wait_unless_it_is_told_to() -> None:
    found = all_changes(0.0, every_ten_seconds())
    assert {change.clearance_s for change in found} == {CLEARANCE_S}
    assert any(change.locked_in for change in found)


def test_in_a_cycle_it_waits_as_long_as_the_minimum_green_is_left() -> None:
    found = all_changes(HOLD_S, a_cycle_each())
    assert any(change.clearance_s > CLEARANCE_S for change in found)
    assert all(change.green_s >= 5 for change in found)


def test_more_than_a_minute_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"network\.signals\.all_red_hold_s must be .* got 61"):
        SignalsConfig(all_red_hold_s=61)
