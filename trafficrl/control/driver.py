"""Carries out commands on a session: owns clearance and minimum green, whoever decides.

Every controller goes through this driver, so that all are held to the same safety rules and
measured alike. Time is counted in simulation steps; a clearance may reach over a decision.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.network.signals import Signal
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["SignalDriver"]


class SignalDriver:
    """Drives all signals of one session; a new episode has a new driver."""

    def __init__(
        self, session: SumoSession, signals: Sequence[Signal], reader: StateReader
    ) -> None:
        self._session = session
        self._signals = tuple(signals)
        self._reader = reader
        self._step = 0
        self._end_step = round((session.scenario.end_s - session.scenario.begin_s) / session.step_s)
        self._phase = np.zeros(len(self._signals), dtype=np.int64)
        # The step at which each signal's phase became, or will become, green.
        self._green_step = np.zeros(len(self._signals), dtype=np.int64)
        self._changes: dict[int, list[tuple[str, str]]] = defaultdict(list)

    @property
    def finished(self) -> bool:
        """The scenario's end is reached."""
        return self._step >= self._end_step

    def start(self) -> TrafficState:
        """The state before the first decision; nothing has moved yet."""
        return self._reader.read(self._phase, self._phase_age_s())

    def advance(self, command: Command) -> TrafficState:
        """The command is carried out, to the next decision or to the scenario's end.

        Raises:
            ValueError: a phase that a signal does not have, a green below its minimum, or
                greens and clearances that do not fill the cycle.
            SimulationError: SUMO died.
        """
        if isinstance(command, NextPhase):
            interval_s = command.interval_s
            self._plan_next_phase(command)
        elif isinstance(command, PhaseDurations):
            interval_s = command.cycle_s
            self._plan_durations(command)
        else:
            interval_s = command.interval_s
        self._run(min(self._steps(interval_s), self._end_step - self._step))
        if not isinstance(command, NextPhase | PhaseDurations):
            self._observe_plan()
        return self._reader.read(self._phase, self._phase_age_s())

    def _run(self, steps: int) -> None:
        for _ in range(steps):
            for signal_id, state in self._changes.pop(self._step, ()):
                self._session.show(signal_id, state)
            self._session.step()
            self._reader.tick()
            self._step += 1

    def _plan_next_phase(self, command: NextPhase) -> None:
        for index, (signal, wanted) in enumerate(zip(self._signals, command.phase, strict=True)):
            if not 0 <= wanted < len(signal.phases):
                raise ValueError(
                    f"signal {signal.id} has {len(signal.phases)} phases, got {wanted}"
                )
            age = self._step - int(self._green_step[index])
            if age >= self._steps(signal.min_green_s) or self._step == 0:
                self._change(index, int(wanted), self._step)

    def _plan_durations(self, command: PhaseDurations) -> None:
        for index, (signal, row) in enumerate(zip(self._signals, command.green_s, strict=True)):
            greens = row[: len(signal.phases)]
            self._check_durations(signal, greens, command.cycle_s)
            start = self._step
            for phase, green_s in enumerate(greens):
                self._change(index, phase, start)
                start += self._steps(signal.clearance_s + float(green_s))

    def _change(self, index: int, following: int, start: int) -> None:
        """Yellow, all-red and green are due from that step on, unless it is green already."""
        signal, now = self._signals[index], int(self._phase[index])
        if following == now:
            if self._step == 0:
                self._changes[start].append((signal.id, signal.phases[now].state))
            return
        yellow = start + self._steps(signal.yellow_s)
        green = yellow + self._steps(signal.all_red_s)
        if self._step == 0 and start == 0:
            green = 0  # nothing was green before the episode, so there is nothing to clear
        else:
            if signal.yellow_s:
                self._changes[start].append((signal.id, signal.yellow_state(now, following)))
            if signal.all_red_s:
                self._changes[yellow].append((signal.id, signal.all_red_state(now, following)))
        self._changes[green].append((signal.id, signal.phases[following].state))
        self._phase[index] = following
        self._green_step[index] = green

    def _check_durations(self, signal: Signal, greens: FloatArray, cycle_s: float) -> None:
        if greens.min() < signal.min_green_s:
            raise ValueError(
                f"signal {signal.id}: greens must be >= {signal.min_green_s:g} [s], got {greens}"
            )
        total_s = float(greens.sum()) + len(greens) * signal.clearance_s
        if abs(total_s - cycle_s) > 1e-6:
            raise ValueError(
                f"signal {signal.id}: greens and clearances last {total_s:g} of {cycle_s:g} [s]"
            )

    def _observe_plan(self) -> None:
        """The plan was in command: note which phase each signal shows now."""
        for index, signal in enumerate(self._signals):
            shown = self._session.read_shown(signal.id)
            states = [phase.state for phase in signal.phases]
            if shown in states and states.index(shown) != self._phase[index]:
                self._phase[index] = states.index(shown)
                self._green_step[index] = self._step

    def _phase_age_s(self) -> FloatArray:
        age_s: FloatArray = (self._step - self._green_step).astype(np.float64)
        return age_s * self._session.step_s

    def _steps(self, duration_s: float) -> int:
        return round(duration_s / self._session.step_s)
