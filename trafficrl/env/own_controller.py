"""A controller of the user's own: its commands are checked, its mistakes are told in one line.

    extensions=[mine.py] controllers=[fixed,mine] '+controller.mine={kind: own, function: mine}'

In the file stands `CONTROLLERS = {"mine": Mine}`, and `Mine(network, step_s=..., **parameters)` has
`begin` and `decide` as `control/controller.py` says. It is made once a process, and asked for many
episodes: `begin` forgets the one before, and all chance comes from the seed that it gets. Yellow,
all-red and minimum green are the driver's, as for all controllers.

Shapes: S signals, P the most phases that any signal has.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trafficrl.control.commands import Command, FollowPlan, NextPhase, PhaseDurations
from trafficrl.demand.scenario import Scenario
from trafficrl.env.extensions import OwnFunction
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import TrafficState

__all__ = ["OwnController"]


class OwnController:
    """What a file's function has made for a network.

    Args:
        function: of the file.
        network: whose signals.
        parameters: names and values that the configuration has for it.
        step_s: of the simulation [s].

    Raises:
        ConfigError: it fails, or makes something without `begin` or `decide`.
    """

    def __init__(
        self,
        function: OwnFunction,
        network: Network,
        parameters: Mapping[str, Any],
        *,
        step_s: float,
    ) -> None:
        made = function.call(network, step_s=step_s, **parameters)
        self._begin = function.method(made, "begin")
        self._decide = function.method(made, "decide")
        self._signals = network.signals
        self._step_s = step_s
        self._plan_runs = True

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """A new episode begins.

        Raises:
            ConfigError: it fails, or answers no programs.
        """
        self._plan_runs = True
        programs = self._begin.call(scenario, seed)
        if not isinstance(programs, list | tuple) or not all(
            isinstance(program, SignalProgram) for program in programs
        ):
            raise self._begin.mistake(f"has to answer a list of programs, or (), got {programs!r}")
        return programs

    def decide(self, state: TrafficState) -> Command:
        """What it says, if signals can do that.

        Raises:
            ConfigError: it fails, or answers what is no command, or one that no driver can carry
                out.
        """
        command: Command = self._decide.call(state)
        if isinstance(command, NextPhase):
            wrong = self._wrong_phases(command)
        elif isinstance(command, PhaseDurations):
            wrong = self._wrong_durations(command)
        elif isinstance(command, FollowPlan):
            wrong = "" if self._plan_runs else "cannot go back to the plan after another command"
        else:
            wrong = f"has to answer NextPhase, PhaseDurations or FollowPlan, got {command!r}"
        wrong = wrong or self._wrong_interval(command)
        if wrong:
            raise self._decide.mistake(wrong)
        self._plan_runs = isinstance(command, FollowPlan)
        if isinstance(command, NextPhase):
            return NextPhase(np.asarray(command.phase, np.int64), command.interval_s)
        if isinstance(command, PhaseDurations):
            return PhaseDurations(np.asarray(command.green_s, np.float64), command.cycle_s)
        return command

    def _wrong_phases(self, command: NextPhase) -> str:
        phase = np.asarray(command.phase)
        most = [len(signal.phases) for signal in self._signals]
        if phase.shape != (len(most),) or phase.dtype.kind not in "iu":
            return f"has to name {len(most)} phases, one whole number a signal, got {phase!r}"
        for signal, wanted in zip(self._signals, phase.tolist(), strict=True):
            if not 0 <= wanted < len(signal.phases):
                return f"wants phase {wanted} of signal {signal.id}, which has {len(signal.phases)}"
        return ""

    def _wrong_durations(self, command: PhaseDurations) -> str:
        green_s = np.asarray(command.green_s)
        most = max(len(signal.phases) for signal in self._signals)
        if green_s.shape != (len(self._signals), most) or green_s.dtype.kind not in "iuf":
            return (
                f"has to answer greens of the shape {(len(self._signals), most)}, got {green_s!r}"
            )
        for signal, row in zip(self._signals, green_s, strict=True):
            greens_s = row[: len(signal.phases)]
            if not greens_s.min() >= signal.min_green_s:
                return f"has a green below {signal.min_green_s:g} [s] at {signal.id}: {greens_s}"
            total_s = float(greens_s.sum()) + len(greens_s) * signal.clearance_s
            if not abs(total_s - command.cycle_s) <= 1e-6:
                return (
                    f"has greens and clearances of {total_s:g} [s] in a cycle of "
                    f"{command.cycle_s:g} [s] at {signal.id}"
                )
        return ""

    def _wrong_interval(self, command: Any) -> str:
        """The next decision is at a step of the simulation, and later."""
        name = "cycle_s" if isinstance(command, PhaseDurations) else "interval_s"
        value = getattr(command, name, None)
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        steps = float(value) / self._step_s if number else 0.0  # type: ignore[arg-type]
        if steps >= 1 and abs(steps - round(steps)) <= 1e-9:
            return ""
        return f"needs {name} as a multiple of the step {self._step_s:g} [s], got {value!r}"
