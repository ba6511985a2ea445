"""Plans that are made before an episode begins, and followed without further commands."""

from collections.abc import Callable, Sequence

import numpy as np

from trafficrl.config.controllers import ActuatedConfig, DelayBasedConfig, UniformConfig
from trafficrl.control.commands import FollowPlan
from trafficrl.demand.apportion import apportion
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import ConfigError
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram, fixed_program, responsive_program
from trafficrl.network.signals import Signal
from trafficrl.simulation.state import TrafficState

__all__ = [
    "PlanFollower",
    "actuated_programs",
    "check_cycle",
    "delay_based_programs",
    "uniform_programs",
    "whole_greens",
]


class PlanFollower:
    """Follows plans that are made when an episode begins; without any, those of the network.

    Args:
        programs: the plans for a scenario.
        interval_s: how often the traffic is looked at meanwhile [s].
    """

    def __init__(
        self,
        programs: Callable[[Scenario], Sequence[SignalProgram]] = lambda scenario: (),
        *,
        interval_s: float,
    ) -> None:
        self._programs = programs
        self._interval_s = interval_s

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """The plans of the episode."""
        return self._programs(scenario)

    def decide(self, state: TrafficState) -> FollowPlan:
        """The plan goes on."""
        return FollowPlan(self._interval_s)


def uniform_programs(
    network: Network, config: UniformConfig, *, step_s: float
) -> list[SignalProgram]:
    """One cycle for all signals, in which each phase of a signal has the same green.

    Raises:
        ConfigError: the cycle has no room for the phases of a signal.
    """
    programs = []
    for signal in network.signals:
        check_cycle("cycle_s", config.cycle_s, signal)
        shares = [1.0] * len(signal.phases)
        greens_s = whole_greens(signal, shares, cycle_s=config.cycle_s, step_s=step_s)
        programs.append(fixed_program(signal, greens_s))
    return programs


def actuated_programs(network: Network, config: ActuatedConfig) -> list[SignalProgram]:
    """SUMO's `actuated` logic for every signal."""
    parameters = {
        "max-gap": config.max_gap_s,
        "detector-gap": config.detector_gap_s,
        "passing-time": config.passing_time_s,
    }
    return [
        responsive_program(
            signal, "actuated", max_green_s=config.max_green_s, parameters=parameters
        )
        for signal in network.signals
    ]


def delay_based_programs(network: Network, config: DelayBasedConfig) -> list[SignalProgram]:
    """SUMO's `delay_based` logic for every signal."""
    parameters = {
        "detectorRange": config.detector_range_m,
        "minTimeLoss": config.min_time_loss_s,
    }
    return [
        responsive_program(
            signal, "delay_based", max_green_s=config.max_green_s, parameters=parameters
        )
        for signal in network.signals
    ]


def check_cycle(name: str, cycle_s: float, signal: Signal) -> None:
    """Return when a cycle has room for the minimum greens and clearances of a signal.

    Raises:
        ConfigError: it has not.
    """
    needed_s = len(signal.phases) * (signal.min_green_s + signal.clearance_s)
    if cycle_s < needed_s:
        raise ConfigError(
            f"controller.*.{name} {cycle_s:g} [s] is too short for signal {signal.id}: "
            f"{len(signal.phases)} phases need >= {needed_s:g}"
        )


def whole_greens(
    signal: Signal, shares: Sequence[float], *, cycle_s: float, step_s: float
) -> list[float]:
    """Greens by shares, none below the minimum, in whole steps that fill the cycle.

    A phase whose share is below the minimum gets that, and the others share what is left.

    Args:
        signal: whose greens; the cycle has room for them.
        shares: weights of its phases, not all 0.
        cycle_s: greens and clearances together [s].
        step_s: of the simulation [s].
    """
    steps = round((cycle_s - len(signal.phases) * signal.clearance_s) / step_s)
    least = int(np.ceil(signal.min_green_s / step_s - 1e-9))
    weights = np.array(shares, dtype=np.float64)
    greens = np.full(len(signal.phases), least)
    free = np.ones(len(weights), dtype=bool)
    while True:
        left = steps - least * int((~free).sum())
        enough = weights * left >= (least - 1e-9) * weights[free].sum()
        if enough[free].all():
            greens[free] = apportion(left, weights[free])
            return [float(number * step_s) for number in greens]
        free &= enough
