"""The durations of one signal's phases, from cycle to cycle."""

from collections.abc import Sequence
from math import ceil

from trafficrl.config.tree_method import Clamp, DurationRule, TreeMethodConfig
from trafficrl.control.tree_method.durations import (
    baby_steps,
    fill_cycle,
    fit_to_cycle,
    naive,
    uniform,
)
from trafficrl.errors import ConfigError
from trafficrl.network.signals import Signal

__all__ = ["SignalPlan"]


class SignalPlan:
    """What the rules decide (`durations_s`) and what a signal can show of it (`greens_s`).

    The two differ only where a decision is none of whole simulation steps, does not fill the cycle
    or leaves a phase too short for its clearance and the signal's minimum green.

    Raises:
        ConfigError: the cycle has no room for all phases with clearance and minimum green.
    """

    def __init__(self, signal: Signal, config: TreeMethodConfig, *, step_s: float) -> None:
        self._config = config
        self._clearance_s = signal.clearance_s
        self._step_s = step_s
        count = len(signal.phases)
        needed = ceil((signal.clearance_s + signal.min_green_s) / step_s - 1e-9)
        self._least_s = needed * step_s
        room_s = config.interval_s / count
        if self._least_s > room_s:
            raise ConfigError(
                f"controller.*.interval_s {config.interval_s:g} [s] is too short for "
                f"signal {signal.id}: {count} phases need >= {self._least_s * count:g}"
            )
        self.min_phase_s = max(self._least_s, min(config.min_phase_s, room_s))
        """No rule makes a phase shorter, its clearance included [s]."""
        self._planned_s = self._scaled(
            [phase.duration_s + signal.clearance_s for phase in signal.phases]
        )
        self.durations_s = list(self._planned_s)
        """Of each phase, its clearance included [s]."""

    def reset(self) -> None:
        """The durations are those of the fixed-time plan."""
        self.durations_s = list(self._planned_s)

    def adapt(self, costs: Sequence[float]) -> None:
        """The durations of the next cycle follow from the last ones and the cost of each phase."""
        last_s, cycle_s = self.durations_s, self._config.interval_s
        rule = self._config.duration_rule
        if rule is DurationRule.baby_steps:
            new_s = baby_steps(last_s, costs, cycle_s=cycle_s, min_phase_s=self.min_phase_s)
        elif rule is DurationRule.naive:
            new_s = naive(last_s, costs, cycle_s=cycle_s, min_phase_s=self.min_phase_s)
        elif rule is DurationRule.uniform:
            new_s = uniform(len(last_s), cycle_s=cycle_s)
        else:
            return
        if self._config.clamp is Clamp.predecessor:
            self.durations_s = fit_to_cycle(new_s, cycle_s=cycle_s, min_phase_s=self.min_phase_s)
        else:  # the original passes over a duration that is none
            self.durations_s = [
                new if new > 0 else last for new, last in zip(new_s, last_s, strict=True)
            ]

    def greens_s(self) -> list[float]:
        """Greens that a signal can show: with their clearances they fill the cycle exactly."""
        return [duration - self._clearance_s for duration in self._filled(self.durations_s)]

    def _scaled(self, planned_s: Sequence[float]) -> list[float]:
        """The plan itself where its cycle is the interval, otherwise its shares of the interval."""
        factor = self._config.interval_s / sum(planned_s)
        if abs(factor - 1) < 1e-9:
            return list(planned_s)
        return self._filled([duration * factor for duration in planned_s])

    def _filled(self, durations_s: Sequence[float]) -> list[float]:
        return fill_cycle(
            durations_s,
            cycle_s=self._config.interval_s,
            least_s=self._least_s,
            step_s=self._step_s,
        )
