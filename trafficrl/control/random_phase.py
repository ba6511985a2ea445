"""Any phase, by chance."""

from collections.abc import Sequence

from trafficrl.config.controllers import RandomConfig
from trafficrl.control.commands import NextPhase
from trafficrl.control.controller import check_whole_steps
from trafficrl.demand.scenario import Scenario
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.runs.seeding import stream
from trafficrl.simulation.state import TrafficState

__all__ = ["RandomPhase"]


class RandomPhase:
    """Every so often each signal goes to one of its phases, all equally likely.

    Raises:
        ConfigError: the interval is no whole number of steps.
    """

    def __init__(self, network: Network, config: RandomConfig, *, step_s: float) -> None:
        check_whole_steps("interval_s", config.interval_s, step_s)
        self._num_phases = [len(signal.phases) for signal in network.signals]
        self._interval_s = config.interval_s
        self._random = stream(0, "controller", "random")

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """The phases of an episode follow from its seed."""
        self._random = stream(seed, "controller", "random")
        return ()

    def decide(self, state: TrafficState) -> NextPhase:
        """Drawn anew for each signal."""
        return NextPhase(self._random.integers(self._num_phases), self._interval_s)
