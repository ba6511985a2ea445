"""What a policy sees of each signal: one row a signal, which means the same on every network.

Counts are in vehicles over a constant, never in shares of a street's room: what a phase is worth
does not change with the length of the street behind it.

A row is [may be chosen (P)][exists (P)][features of phases (P * F)][features of the signal (G)]:
phases that a signal does not have are zeros. What may be chosen is what the driver would not
refuse; the policy gives all else no probability at all.

Shapes: S signals, P `max_phases`, Q phases of all signals together, L lanes, F features of one
phase, G features of one signal.
"""

from collections.abc import Callable, Sequence

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.control.greedy import lane_pressure
from trafficrl.env.extensions import Extension, find_function
from trafficrl.env.lane_groups import VEHICLE_SPACE_M
from trafficrl.errors import NetworkError
from trafficrl.network.model import Network
from trafficrl.network.surroundings import Surroundings
from trafficrl.simulation.lane_sums import LaneSums
from trafficrl.simulation.state import FloatArray, IntArray, TrafficState

__all__ = ["MOST", "PhasePlaces", "SignalObservations", "check_room"]

VEHICLES = 20.0
"""So many vehicles count as 1: about what a lane discharges in 40 s of green."""
WAITING_S = 120.0
PHASE_AGE_S = 120.0
LANES = 4.0
MOST = 10.0
"""No feature is larger."""

Feature = Callable[[TrafficState], FloatArray]
BoolArray = NDArray[np.bool_]


class SignalObservations:
    """Encodes a state as one row for each signal.

    Args:
        config: which features.
        network: whose signals.
        step_s: of the simulation [s].
        extensions: files of the user's own.

    Raises:
        NetworkError: a signal has more phases than a row has room for.
        ConfigError: a feature that neither trafficrl nor an extension has.

    Example:
        encoder = SignalObservations(config, network, step_s=1.0)
        rows = encoder.encode(state)  # (S, K) float32
    """

    def __init__(
        self,
        config: SignalObservationConfig,
        network: Network,
        *,
        step_s: float,
        extensions: Sequence[Extension] = (),
    ) -> None:
        check_room(network, config.max_phases)
        self._phases = PhasePlaces(network, config.max_phases, step_s)
        around = Surroundings.of(network, config.reach_m)
        of_phase = phase_features(network, around, self._phases)
        of_signal = signal_features(network, around)
        for scope, chosen, known, count in (
            ("phase", config.phase_features, of_phase, self._phases.count),
            ("signal", config.signal_features, of_signal, len(network.signals)),
        ):
            where, table = f"algorithm.observation.{scope}_features", f"LOCAL_{scope.upper()}"
            for name in [name for name in chosen if name not in known]:
                own = find_function(where, name, f"{table}_FEATURES", extensions)
                known[name] = own.for_network(network, count)
        self._phase_features = [of_phase[name] for name in config.phase_features]
        self._signal_features = [of_signal[name] for name in config.signal_features]
        places = range(config.max_phases)
        self.names = [f"{name}:{place}" for name in ("may_be_chosen", "exists") for place in places]
        self.names += [f"{name}:{place}" for place in places for name in config.phase_features]
        self.names += config.signal_features
        self.space: spaces.Space[NDArray[np.float32]] = spaces.Box(
            0.0, MOST, (len(network.signals), len(self.names)), np.float32
        )

    def encode(self, state: TrafficState) -> NDArray[np.float32]:
        """(S, K) rows of that state."""
        places = self._phases
        table = np.zeros((*places.exists.shape, len(self._phase_features)))
        table[places.exists] = np.stack([read(state) for read in self._phase_features], axis=1)
        count = len(table)
        rows = np.concatenate(
            (
                places.may_be_chosen(state),
                places.exists,
                table.reshape(count, -1),
                *(read(state)[:, None] for read in self._signal_features),
            ),
            axis=1,
        )
        clipped: NDArray[np.float32] = np.clip(rows, 0.0, MOST).astype(np.float32)
        return clipped


class PhasePlaces:
    """Where each phase stands in a table of all signals, and which of them may be chosen."""

    def __init__(self, network: Network, max_phases: int, step_s: float) -> None:
        sizes = np.array([len(signal.phases) for signal in network.signals])
        self.count = int(sizes.sum())
        self.exists: BoolArray = np.arange(max_phases) < sizes[:, None]  # (S, P)
        self._first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self._step_s = step_s
        greens = [round(signal.min_green_s / step_s) for signal in network.signals]
        self._min_green_steps = np.array(greens)

    def may_be_chosen(self, state: TrafficState) -> BoolArray:
        """(S, P) the phases that the driver would go to: all, or what is shown and nothing else.

        A phase keeps its minimum green, also while the clearance before it is still running; only
        before anything was green there is nothing to keep.
        """
        green_steps = np.rint(state.phase_age_s / self._step_s)
        free = (green_steps >= self._min_green_steps) | (state.elapsed_s <= 0)
        mask: BoolArray = self.exists & free[:, None]
        mask[np.arange(len(mask)), state.phase] = True
        return mask

    def current(self, state: TrafficState) -> IntArray:
        """(S,) which of all phases (Q,) each signal shows."""
        shown: IntArray = self._first + state.phase
        return shown


def phase_features(
    network: Network, around: Surroundings, places: PhasePlaces
) -> dict[str, Feature]:
    """Name -> (Q,) values."""
    count = len(network.lanes)
    stop, behind, sending, ahead = (
        LaneSums(groups, count)
        for groups in (around.stop, around.behind, around.sending, around.ahead)
    )
    room = np.array([max(lane.length_m / VEHICLE_SPACE_M, 1.0) for lane in network.lanes])
    press = lane_pressure(network)
    released = ReleasedLanes(around.stop, count)
    num_lanes = np.array([len(lanes) for lanes in around.stop]) / LANES

    def now_released(state: TrafficState) -> FloatArray:
        """(L,) vehicles on the lanes that have green now."""
        return state.now.vehicles_veh * released.by(places.current(state))

    def mean_waiting_s(state: TrafficState) -> FloatArray:
        waiting_s, vehicles = stop(state.now.waiting_s, state.now.vehicles_veh)
        mean: FloatArray = waiting_s / np.maximum(vehicles, 1.0)
        return mean

    def is_current(state: TrafficState) -> FloatArray:
        one = np.zeros(len(around.stop))
        one[places.current(state)] = 1.0
        return one

    return {
        "phase_queue": lambda s: stop(s.now.queue_veh)[0] / VEHICLES,
        "phase_vehicles": lambda s: stop(s.now.vehicles_veh)[0] / VEHICLES,
        "phase_approaching": lambda s: behind(s.now.vehicles_veh)[0] / VEHICLES,
        "phase_arriving": lambda s: sending(now_released(s))[0] / VEHICLES,
        "phase_released": lambda s: stop(now_released(s))[0] / VEHICLES,
        "phase_waiting": lambda s: mean_waiting_s(s) / WAITING_S,
        "phase_downstream": lambda s: ahead(s.now.vehicles_veh)[0] / VEHICLES,
        "phase_room": lambda s: ahead(np.maximum(room - s.now.vehicles_veh, 0.0))[0] / VEHICLES,
        "phase_pressure": lambda s: stop(press(s.now.vehicles_veh))[0] / VEHICLES,
        "phase_lanes": lambda s: num_lanes,
        "phase_current": is_current,
    }


def signal_features(network: Network, around: Surroundings) -> dict[str, Feature]:
    """Name -> (S,) values."""
    approach = LaneSums(around.approach, len(network.lanes))
    beside = LaneSums(around.neighbours, len(network.signals))
    number = np.array([max(len(found), 1) for found in around.neighbours])
    return {
        "phase_age": lambda s: s.phase_age_s / PHASE_AGE_S,
        "clearing": lambda s: (s.phase_age_s < 0).astype(np.float64),
        "signal_queue": lambda s: approach(s.now.queue_veh)[0] / VEHICLES,
        "signal_vehicles": lambda s: approach(s.now.vehicles_veh)[0] / VEHICLES,
        "neighbour_queue": lambda s: beside(approach(s.now.queue_veh)[0])[0] / number / VEHICLES,
        "neighbour_vehicles": lambda s: (
            beside(approach(s.now.vehicles_veh)[0])[0] / number / VEHICLES
        ),
    }


class ReleasedLanes:
    """From phases to the lanes that they release."""

    def __init__(self, stop: Sequence[Sequence[int]], num_lanes: int) -> None:
        most = max(map(len, stop), default=0)
        # Short rows are filled up with a place behind the lanes.
        self._lanes = np.full((len(stop), most), num_lanes, dtype=np.int64)
        for row, lanes in enumerate(stop):
            self._lanes[row, : len(lanes)] = lanes
        self._num_lanes = num_lanes

    def by(self, phases: IntArray) -> FloatArray:
        """(L,) 1 where one of these of all phases (Q,) releases a lane."""
        flags = np.zeros(self._num_lanes + 1)
        flags[self._lanes[phases]] = 1.0
        return flags[:-1]


def check_room(network: Network, max_phases: int) -> None:
    """Return when no signal has more phases than that.

    Raises:
        NetworkError: one has.
    """
    for signal in network.signals:
        if len(signal.phases) > max_phases:
            raise NetworkError(
                f"algorithm.observation.max_phases must be >= {len(signal.phases)}, as many as "
                f"signal {signal.id} has, got {max_phases}"
            )
