"""Carries out commands on a session: owns clearance and minimum green, whoever decides.

Every controller goes through this driver, so that all are held to the same safety rules and
measured alike. Time is counted in simulation steps; a clearance may reach over a decision. An
episode begins under the network's own plan; once a command has taken over, the plan cannot come
back, because it would go on from wherever it stands by then, without a clearance.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from trafficrl.control.clearances import Clearances
from trafficrl.control.commands import Command, FollowPlan, NextPhase, PhaseDurations
from trafficrl.errors import SimulationError
from trafficrl.network.signals import Signal
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.session import SumoSession
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["SignalDriver"]


class Change(NamedTuple):
    """What a signal is to show from some step on."""

    signal: int
    """Its index."""
    state: str
    phase: int
    """That is green then, or that the clearance leads to."""
    green_step: int
    """When that phase is green."""
    wait_until: int = 0
    """Up to which step it may be put off while vehicles stand where they would be locked in."""
    waiting_state: str = ""
    """What is shown meanwhile."""


class SignalDriver:
    """Drives all signals of one session; a new episode has a new driver.

    Args:
        session: that it drives.
        signals: all of its network.
        reader: of the session.
        after_step: is called after each simulation step, for who watches; None for nobody.
    """

    def __init__(
        self,
        session: SumoSession,
        signals: Sequence[Signal],
        reader: StateReader,
        *,
        after_step: Callable[[], None] | None = None,
    ) -> None:
        self._after_step = after_step
        self._session = session
        self._signals = tuple(signals)
        self._reader = reader
        self._step = 0
        self._end_step = round((session.scenario.end_s - session.scenario.begin_s) / session.step_s)
        # The phase of each signal now, and the step at which it became, or will become, green.
        self._phase = np.zeros(len(self._signals), dtype=np.int64)
        self._green_step = np.zeros(len(self._signals), dtype=np.int64)
        # The same after all changes that are planned, by the step at which they are due.
        self._last_phase: list[int] = self._phase.tolist()
        self._last_green_step: list[int] = self._green_step.tolist()
        self._min_green_steps = [self._steps(signal.min_green_s) for signal in signals]
        self._yellow_steps = [self._steps(signal.yellow_s) for signal in signals]
        self._all_red_steps = [self._steps(signal.all_red_s) for signal in signals]
        self._hold_steps = [self._steps(signal.all_red_hold_s) for signal in signals]
        self._changes: dict[int, list[Change]] = defaultdict(list)
        self._clearances = Clearances(session, self._signals)
        self._plan_runs = True

    @property
    def finished(self) -> bool:
        """The scenario's end is reached."""
        return self._step >= self._end_step

    def start(self) -> TrafficState:
        """The state before the first decision; nothing has moved yet."""
        self._observe_plan()
        return self._reader.read(self._phase, self._phase_age_s())

    def advance(self, command: Command) -> TrafficState:
        """The command is carried out, to the next decision or to the scenario's end.

        Raises:
            ValueError: a phase that a signal does not have, a green below its minimum, greens and
                clearances that do not fill the cycle, or the plan after another command.
            SimulationError: SUMO died.
        """
        assert not self.finished, "the episode is over"
        if isinstance(command, FollowPlan):
            interval_s = command.interval_s
            if not self._plan_runs:
                raise ValueError("the fixed-time plan cannot go on after another command")
        elif isinstance(command, NextPhase):
            interval_s = command.interval_s
            self._plan_next_phase(command)
        else:
            interval_s = command.cycle_s
            self._plan_durations(command)
        self._run(min(self._steps(interval_s), self._end_step - self._step))
        if self._plan_runs:
            self._observe_plan()
        return self._reader.read(self._phase, self._phase_age_s())

    def _run(self, steps: int) -> None:
        for _ in range(steps):
            for due in self._changes.pop(self._step, ()):
                waits = self._step < due.wait_until and self._must_wait(due)
                change = self._put_off(due) if waits else due
                self._session.show(self._signals[change.signal].id, change.state)
                self._phase[change.signal] = change.phase
                self._green_step[change.signal] = change.green_step
            self._session.step()
            self._reader.tick()
            self._step += 1
            if self._after_step is not None:
                self._after_step()

    def _must_wait(self, change: Change) -> bool:
        """Vehicles stand inside the junction where the change closes, and there is time to wait."""
        planned = [
            step
            for step, changes in self._changes.items()
            if any(other.signal == change.signal for other in changes)
        ]
        shortest = self._min_green_steps[change.signal]
        if planned and min(planned) <= self._step + shortest:
            return False
        return self._clearances.are_blocked(change.signal, change.phase)

    def _put_off(self, change: Change) -> Change:
        """It is planned a step later; what is shown until then."""
        later = change._replace(green_step=self._step + 1)
        self._changes[later.green_step].append(later)
        if self._last_green_step[change.signal] == change.green_step:
            self._last_green_step[change.signal] = later.green_step
        return later._replace(state=change.waiting_state)

    def _plan_next_phase(self, command: NextPhase) -> None:
        phases: list[int] = command.phase.tolist()
        for signal, wanted in zip(self._signals, phases, strict=True):
            if not 0 <= wanted < len(signal.phases):
                raise ValueError(
                    f"signal {signal.id} has {len(signal.phases)} phases, got {wanted}"
                )
        self._take_over()
        for index, (wanted, now) in enumerate(zip(phases, self._last_phase, strict=True)):
            if wanted != now and (self._step == 0 or self._step >= self._earliest_end(index)):
                self._change(index, wanted, self._step)

    def _plan_durations(self, command: PhaseDurations) -> None:
        for signal, row in zip(self._signals, command.green_s, strict=True):
            self._check_durations(signal, row[: len(signal.phases)], command.cycle_s)
        self._take_over()
        for index, (signal, row) in enumerate(zip(self._signals, command.green_s, strict=True)):
            start = self._step
            for phase, green_s in enumerate(row[: len(signal.phases)].tolist()):
                self._change(index, phase, start)
                start += self._steps(signal.clearance_s + green_s)

    def _take_over(self) -> None:
        """The plan stops: each signal stays in its green, or in the one that it is clearing for."""
        if not self._plan_runs:
            return
        self._plan_runs = False
        if self._step == 0:
            # Nothing was green before the episode, so no clearance of the plan is to be ended.
            self._last_green_step = [0] * len(self._signals)
        for index, phase in enumerate(self._last_phase):
            green = self._last_green_step[index]
            state = self._signals[index].phases[phase].state
            # Up to that step the plan itself shows the rest of its clearance.
            self._changes[max(self._step, green)].append(Change(index, state, phase, green))

    def _change(self, index: int, following: int, start: int) -> None:
        """Yellow, all-red and green are due from that step on, unless it is green already.

        They are due later where the phase before would have less than its minimum green.
        """
        signal, now = self._signals[index], self._last_phase[index]
        if following == now:
            return
        green, waiting = start, (0, "")
        if start > 0:  # nothing was green before the episode, so there is nothing to clear
            yellow_state, all_red_state = self._clearances.between(index, now, following)
            yellow = max(start, self._earliest_end(index))
            all_red = yellow + self._yellow_steps[index]
            green = all_red + self._all_red_steps[index]
            waiting = (green + self._hold_steps[index], all_red_state)
            # A part of no length is shown for no time: the next one replaces it.
            self._changes[yellow].append(Change(index, yellow_state, following, green))
            self._changes[all_red].append(Change(index, all_red_state, following, green))
        state = signal.phases[following].state
        self._changes[green].append(Change(index, state, following, green, *waiting))
        self._last_phase[index] = following
        self._last_green_step[index] = green

    def _earliest_end(self, index: int) -> int:
        """The step at which the minimum green of a signal's phase is over."""
        return self._last_green_step[index] + self._min_green_steps[index]

    def _check_durations(self, signal: Signal, greens: FloatArray, cycle_s: float) -> None:
        if not greens.min() >= signal.min_green_s:
            raise ValueError(
                f"signal {signal.id}: greens must be >= {signal.min_green_s:g} [s], got {greens}"
            )
        total_s = float(greens.sum()) + len(greens) * signal.clearance_s
        if not abs(total_s - cycle_s) <= 1e-6:
            raise ValueError(
                f"signal {signal.id}: greens and clearances last {total_s:g} of {cycle_s:g} [s]"
            )

    def _observe_plan(self) -> None:
        """The plan is in command: note each signal's green, or the one that it is clearing for."""
        for index, signal in enumerate(self._signals):
            states = [phase.state for phase in signal.phases]
            plan = self._session.read_plan(signal.id)
            green = next((part for part in plan if part[1] in states), None)
            if green is None:
                shown = ", ".join(sorted({state for _, state in plan}))
                raise SimulationError(
                    f"signal {signal.id}: its program in SUMO shows none of its phases "
                    f"({', '.join(states)}) but {shown}: another file replaces the network's"
                )
            begins_s, state = green
            self._phase[index] = states.index(state)
            self._green_step[index] = self._step + self._steps(begins_s)
        self._last_phase = self._phase.tolist()
        self._last_green_step = self._green_step.tolist()

    def _phase_age_s(self) -> FloatArray:
        age_s: FloatArray = (self._step - self._green_step).astype(np.float64)
        return age_s * self._session.step_s

    def _steps(self, duration_s: float) -> int:
        return round(duration_s / self._session.step_s)
