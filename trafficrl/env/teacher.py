"""A controller that tells its decisions as a learner's actions, driving itself or beside it.

It decides when the learner does: only then is there one action for each of its commands. One that
chooses phases from the moment alone may decide every so many decisions of the learner; in between
it keeps what signals show.
"""

from collections.abc import Sequence

from trafficrl.config.algorithm import ActionKind
from trafficrl.config.controllers import GreedyConfig, OwnConfig, RandomConfig
from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.control.controller import Controller, cells_seen
from trafficrl.demand.scenario import Scenario
from trafficrl.env.labels import KINDS, Label, Labels
from trafficrl.env.task import Task
from trafficrl.errors import ConfigError
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import TrafficState

__all__ = ["Teacher"]

EPSILON_S = 1e-6


class Teacher:
    """A controller that tells its decisions as actions of a task.

    Args:
        name: in messages.
        controller: that decides.
        task: whose actions.

    Example:
        label = teacher.label(state)  # beside whoever drives
    """

    def __init__(self, name: str, controller: Controller, task: Task) -> None:
        self._name = name
        self._controller = controller
        self._decision_s = task.action.decision_s
        self._kind = task.action.kind
        self._labels: Labels = KINDS[self._kind](task)
        # Others count what has passed since their own last decision.
        self._config = task.controllers.get(name)
        self._patient = isinstance(self._config, GreedyConfig | RandomConfig)
        self._keeps = 0
        """Decisions of the learner until its next own."""

    @property
    def cells_m(self) -> frozenset[float]:
        """The lengths of cells that it sees [m]."""
        return cells_seen(self._controller)

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """As any controller; signals run the programs only where it drives."""
        self._keeps = 0
        programs = self._controller.begin(scenario, seed)
        self._labels.begin(programs)
        return programs

    def decide(self, state: TrafficState) -> Command:
        """As any controller.

        Raises:
            ConfigError: it decides at other times than the learner.
        """
        if self._keeps:
            self._keeps -= 1
            return NextPhase(state.phase, self._decision_s)
        command = self._controller.decide(state)
        durations = isinstance(command, PhaseDurations)
        interval_s = command.cycle_s if durations else command.interval_s  # type: ignore[union-attr]
        times = round(interval_s / self._decision_s)
        fits = times >= 1 and abs(interval_s - times * self._decision_s) < EPSILON_S
        if fits and times > 1 and self._patient and isinstance(command, NextPhase):
            self._keeps = times - 1
            return NextPhase(command.phase, self._decision_s)
        if not fits or times > 1:
            key = "cycle_s" if self._kind is ActionKind.phase_durations else "interval_s"
            raise ConfigError(
                f"teacher {self._name} decides every {interval_s:g} s, the learner every "
                f"algorithm.action.{key}={self._decision_s:g} [s]: make them equal, as with "
                + self._equal(key, interval_s)
            )
        return command

    def label(
        self,
        state: TrafficState,
        command: Command | None = None,
        *,
        following: TrafficState | None = None,
    ) -> Label:
        """What it does at that state.

        Args:
            state: the decision.
            command: what it decided there, if it has been asked already.
            following: the next decision, where it drove.

        Raises:
            ConfigError: no action of the learner can say what it does.
        """
        command = self.decide(state) if command is None else command
        label = self._labels.label(command, state, following)
        if label is None:
            raise ConfigError(
                f"teacher {self._name}: algorithm.action.kind={self._kind.name} cannot say what it "
                f"does; it can follow {self._labels.follows}"
            )
        return label

    def _equal(self, key: str, interval_s: float) -> str:
        """What a user could write so that both decide at the same times."""
        if self._config is None:  # a model decides as often as it learned to
            return f"algorithm.action.{key}={interval_s:g}"
        own = ".parameters" if isinstance(self._config, OwnConfig) else ""
        return f"controller.{self._name}{own}.interval_s={self._decision_s:g}"
