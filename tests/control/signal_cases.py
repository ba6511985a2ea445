"""Drives a city's signals with real SUMO and notes what each of them shows in every step."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import traffic_cases as cases

from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.control.driver import SignalDriver
from trafficrl.network.signals import GREEN, Signal
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.state import TrafficState

NETWORK = cases.city()
SIGNALS = NETWORK.signals
CROSS = next(index for index, signal in enumerate(SIGNALS) if len(signal.phases) == 4)
TEE = next(index for index, signal in enumerate(SIGNALS) if len(signal.phases) == 3)


class Recorder(StateReader):
    """A reader that also notes the state of every signal in every step."""

    def __init__(self, session: Any, signals: Sequence[Signal]) -> None:
        super().__init__(session, NETWORK, sample_s=5.0)
        self._watched = session
        self._ids = [signal.id for signal in signals]
        self.shown: dict[str, list[str]] = {name: [] for name in self._ids}

    def tick(self) -> None:
        super().tick()
        for name in self._ids:
            self.shown[name].append(self._watched.read_shown(name))


class Drive:
    """What came of a sequence of commands."""

    def __init__(
        self,
        commands: Iterable[Command],
        *,
        signals: Sequence[Signal] = SIGNALS,
        end_s: float = 120.0,
        **options: Any,
    ) -> None:
        scenario = replace(cases.scenario(), end_s=end_s)
        with cases.session(scenario, **options) as session:
            recorder = Recorder(session, signals)
            driver = SignalDriver(session, signals, recorder)
            self.states: list[TrafficState] = [driver.start()]
            for command in commands:
                self.states.append(driver.advance(command))
            self.finished = driver.finished
        self._shown = recorder.shown

    def shown(self, index: int = CROSS) -> list[str]:
        """The state of a signal in each step."""
        return self._shown[SIGNALS[index].id]

    def runs(self, index: int = CROSS) -> list[tuple[str, int]]:
        """The states of a signal, and for how many steps each was shown."""
        return [(state, len(list(steps))) for state, steps in groupby(self.shown(index))]


def adjusted(**changes: Any) -> tuple[Signal, ...]:
    """The city's signals with other clearances or minimum greens."""
    return tuple(replace(signal, **changes) for signal in SIGNALS)


def go_to(phase: int, interval_s: float = 20.0) -> NextPhase:
    """Every signal to that phase, or to its last one."""
    phases = [min(phase, len(signal.phases) - 1) for signal in SIGNALS]
    return NextPhase(np.array(phases), interval_s)


def cycle(shares: Sequence[float], signals: Sequence[Signal] = SIGNALS) -> PhaseDurations:
    """A cycle of 80 s whose greens above the minimum are shared out by those weights."""
    green_s = np.zeros((len(signals), 4))
    for row, signal in zip(green_s, signals, strict=True):
        count = len(signal.phases)
        free_s = 80 - count * (signal.clearance_s + signal.min_green_s)
        weights = np.array(shares[:count]) + 1e-9
        extra_s = np.floor(free_s * weights / weights.sum())
        extra_s[0] += free_s - extra_s.sum()
        row[:count] = signal.min_green_s + extra_s
    return PhaseDurations(green_s, 80.0)


def green_links(state: str) -> set[int]:
    return {link for link, letter in enumerate(state) if letter in GREEN}
