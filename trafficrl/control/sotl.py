"""Self-organising traffic lights (SOTL): red lights count up who waits, and leave platoons whole.

S.-B. Cools, C. Gershenson, B. D'Hooghe, Self-organizing traffic lights: a realistic simulation, in
Advances in Applied Self-organizing Systems, Springer 2008, after C. Gershenson, Self-organizing
traffic lights, Complex Systems 16, 2005. A red light adds up the vehicles that approach or wait for
it (kappa), every second. When kappa has reached theta, it gets green, unless the green light is
young, or the end of a platoon is about to pass it: more than none but fewer than mu vehicles within
omega of the stop line.

A signal there has two lights. Here it has phases, and each counts up its stop-line lanes that are
red; of several that have reached theta the one with the most goes first. What a state tells of a
lane is how many vehicles it holds, not where: they are taken to be spread evenly over it. Those
that stand at a green light are no platoon; they wait for a gap or for room, maybe for ever.

Shapes: P phases of a signal, M lanes that end at it.
"""

from collections.abc import Sequence

import numpy as np

from trafficrl.config.controllers import SotlConfig
from trafficrl.control.commands import NextPhase
from trafficrl.control.controller import check_whole_steps
from trafficrl.demand.scenario import Scenario
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.network.signals import Signal
from trafficrl.simulation.state import TrafficState

__all__ = ["Sotl"]

RIGHT = {"G": 2, "g": 1}
"""Who passes and who yields: a phase is asked for by lanes that have less of a right now."""


class Sotl:
    """Each signal for itself, without a cycle.

    Raises:
        ConfigError: the interval is no whole number of steps.
    """

    def __init__(self, network: Network, config: SotlConfig, *, step_s: float) -> None:
        check_whole_steps("interval_s", config.interval_s, step_s)
        self._config = config
        self._signals = [SelfOrganisingSignal(network, s, config) for s in network.signals]

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """Nobody has waited yet."""
        for signal in self._signals:
            signal.kappa_veh_s[:] = 0.0
        return ()

    def decide(self, state: TrafficState) -> NextPhase:
        """Signals whose red has waited long enough change; all others stay."""
        shown = zip(self._signals, state.phase.tolist(), state.phase_age_s.tolist(), strict=True)
        phases = [signal.decide(state, now, age_s) for signal, now, age_s in shown]
        return NextPhase(np.array(phases, dtype=np.int64), self._config.interval_s)


class SelfOrganisingSignal:
    """One signal and what its phases have counted."""

    def __init__(self, network: Network, signal: Signal, config: SotlConfig) -> None:
        self._config = config
        lanes = sorted({network.lane_index[n] for names in signal.incoming_lanes for n in names})
        place = {lane: index for index, lane in enumerate(lanes)}
        links = [
            (i, network.lane_index[n]) for i, ns in enumerate(signal.incoming_lanes) for n in ns
        ]
        right = np.zeros((len(signal.phases), len(links)))
        end = np.zeros((len(links), len(lanes)))
        for column, (link, lane) in enumerate(links):
            right[:, column] = [RIGHT.get(phase.state[link], 0) for phase in signal.phases]
            end[column, place[lane]] = 1.0
        self._lanes = np.array(lanes, dtype=np.int64)
        self._green = (right @ end > 0).astype(np.float64)  # (P, M)
        more = right[None, :, :] > right[:, None, :]
        self._asks = ((more @ end) > 0).astype(np.float64)  # (P, P, M)
        length_m = np.array([network.lanes[lane].length_m for lane in lanes])
        self._near = np.minimum(1.0, config.omega_m / length_m)
        self.kappa_veh_s = np.zeros(len(signal.phases))

    def decide(self, state: TrafficState, now: int, age_s: float) -> int:
        """The phase that the signal should show."""
        waiting_veh = state.mean.vehicles_veh[self._lanes]
        self.kappa_veh_s += self._asks[now] @ waiting_veh * state.interval_s
        self.kappa_veh_s[now] = 0.0
        moving_veh = (state.now.vehicles_veh - state.now.queue_veh)[self._lanes]
        platoon_veh = float(self._green[now] @ np.rint(moving_veh * self._near))
        asking = int(self.kappa_veh_s.argmax())
        if self.kappa_veh_s[asking] < self._config.theta_veh_s:
            return now
        if age_s < self._config.min_green_s or 0.0 < platoon_veh < self._config.mu_veh:
            return now
        return asking
