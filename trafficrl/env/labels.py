"""What a controller does at a decision, as the action of a policy that would do the same.

Commands are inverted exactly. What signals do by themselves, under a plan or SUMO's own control,
is read from what they show; where they change amid a decision, which no action can say, the label
is the phase that they have, or clear for, during the longer part of it, and `exact` is false.

Shapes: S signals, P the most phases of any signal, Q phases of all signals together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trafficrl.config.algorithm import ActionKind
from trafficrl.control.commands import Command, FollowPlan, NextPhase, PhaseDurations
from trafficrl.env.actions import NextPhaseAction, PhaseDurationsAction
from trafficrl.env.phase_places import PhasePlaces
from trafficrl.env.task import Task
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["KINDS", "Label", "Labels"]

BoolArray = NDArray[np.bool_]
EPSILON_S = 1e-6


class Label(NamedTuple):
    """An action, and of which signals it says all that they do."""

    action: NDArray[Any]  # (S,) phases, or (Q,) numbers of phases
    exact: BoolArray  # (S,)


class Labels(Protocol):
    """From commands to actions of one kind."""

    follows: str
    """Whose commands it can tell, for messages."""

    def begin(self, programs: Sequence[SignalProgram]) -> None:
        """An episode begins in which signals run these programs, or those of the network."""

    def label(
        self, command: Command, state: TrafficState, following: TrafficState | None
    ) -> Label | None:
        """The label of a command at a state; None where this kind of action cannot say it.

        Args:
            command: what the controller said.
            state: the decision.
            following: the next decision, where the command was carried out.
        """


class NextPhaseLabels:
    """Phases (S,) that signals go to, or keep."""

    follows = "controllers that choose phases; plans and actuated control where they drive"

    def __init__(self, task: Task) -> None:
        network = task.network
        self._action = NextPhaseAction(task.action, network, task.step_s)
        most = max(len(signal.phases) for signal in network.signals)
        self._places = PhasePlaces(network, most, task.action, step_s=task.step_s)
        self._clearance_s = np.array([signal.clearance_s for signal in network.signals])

    def begin(self, programs: Sequence[SignalProgram]) -> None:
        """Nothing to know beforehand."""

    def label(
        self, command: Command, state: TrafficState, following: TrafficState | None
    ) -> Label | None:
        """A phase that may not be chosen is the one that the signal has: for a command that the
        driver would refuse that is exact, for one out of order it is not."""
        wanted, exact = state.phase, np.ones(len(state.phase), dtype=bool)
        if isinstance(command, NextPhase):
            wanted = command.phase
        elif isinstance(command, FollowPlan) and following is not None:
            wanted, exact = self._shown(state, following)
        else:
            return None
        asked = np.arange(len(wanted)), wanted
        allowed = self._places.may_be_chosen(state)[asked]
        taken = np.where(allowed, wanted, state.phase)
        if isinstance(command, NextPhase):  # a plan is refused nothing
            allowed |= ~self._places.driver_takes(state)[asked]
        exact &= allowed
        return Label(self._action.encode(taken), exact)

    def _shown(self, state: TrafficState, following: TrafficState) -> tuple[Any, BoolArray]:
        """(S,) the phase for most of the time between two states, and whether for all of it."""
        began_s = following.elapsed_s - following.phase_age_s
        left_s = began_s - self._clearance_s - state.elapsed_s
        changed = following.phase != state.phase
        early = left_s < 0.5 * (following.elapsed_s - state.elapsed_s)
        phase = np.where(changed & early, following.phase, state.phase)
        # The same green all the time, and not one that has come back meanwhile.
        stayed = np.abs(began_s - (state.elapsed_s - state.phase_age_s)) < EPSILON_S
        return phase, np.where(changed, np.abs(left_s) < EPSILON_S, stayed)


class PhaseDurationsLabels:
    """Numbers (Q,) that decode to the greens of a cycle.

    A plan ends its cycle with a clearance, a command begins it with one: so what follows a plan's
    greens shows all of them the clearance later, from the first cycle of the episode on.
    """

    follows = "fixed, uniform, webster, tree_method and models of that kind"

    def __init__(self, task: Task) -> None:
        self._network = task.network
        self._action = PhaseDurationsAction(task.action, task.network, task.step_s)
        self._last = np.array([len(signal.phases) - 1 for signal in task.network.signals])
        self._unsafe = np.array([signal.clearance_s == 0 for signal in task.network.signals])
        self._planned: FloatArray | None = None
        self._plan_exact = np.ones(len(task.network.signals), dtype=bool)

    def begin(self, programs: Sequence[SignalProgram]) -> None:
        """The greens of the plans that signals run, where a plan has them."""
        self._planned = planned_greens(self._network, programs)
        offset_s = {program.signal_id: program.offset_s for program in programs}
        self._plan_exact = np.array(
            [offset_s.get(signal.id, 0.0) == 0.0 for signal in self._network.signals]
        )

    def label(
        self, command: Command, state: TrafficState, following: TrafficState | None
    ) -> Label | None:
        """Of greens that do not fill the cycle the shares count."""
        if isinstance(command, PhaseDurations):
            green_s, exact = command.green_s, np.ones(len(state.phase), dtype=bool)
        elif isinstance(command, FollowPlan) and self._planned is not None:
            green_s, exact = self._planned, self._plan_exact.copy()
            if following is not None:  # it drives: are its cycles those of the decisions?
                exact &= self._cycle_begins(state, green_s)
        else:
            return None
        action = self._action.encode(green_s)
        decoded_s = self._action.decode(action).green_s
        exact &= (np.abs(decoded_s - green_s) < EPSILON_S).all(axis=1)
        return Label(action, exact)

    def _cycle_begins(self, state: TrafficState, green_s: FloatArray) -> BoolArray:
        """(S,) where the plan's first green begins now; without clearance the last still shows."""
        last_s = green_s[np.arange(len(self._last)), self._last]
        ended = (state.phase == self._last) & (np.abs(state.phase_age_s - last_s) < EPSILON_S)
        begun = (state.phase == 0) & (np.abs(state.phase_age_s) < EPSILON_S)
        found: BoolArray = begun | (ended & self._unsafe)
        return found


def planned_greens(network: Network, programs: Sequence[SignalProgram]) -> FloatArray | None:
    """(S, P) greens of one cycle [s]; None where SUMO decides how long they last."""
    by_signal = {program.signal_id: program for program in programs}
    if any(program.green_range_s for program in programs):
        return None
    green_s = np.zeros((len(network.signals), max(len(s.phases) for s in network.signals)))
    for row, signal in zip(green_s, network.signals, strict=True):
        program = by_signal.get(signal.id)
        for place, phase in enumerate(signal.phases):
            parts = [] if program is None else program.phases
            found = [part.duration_s for part in parts if part.state == phase.state]
            row[place] = sum(found) if found else phase.duration_s
    return green_s


KINDS: dict[ActionKind, type[NextPhaseLabels] | type[PhaseDurationsLabels]] = {
    ActionKind.next_phase: NextPhaseLabels,
    ActionKind.phase_durations: PhaseDurationsLabels,
}
"""Kind of action -> labels of that kind."""
