"""What can be seen of each phase, of each signal and of all of them, by name.

Counts are in vehicles over a constant, never in shares of a street's room: what a phase is worth
does not change with the length of the street behind it.

Shapes: S signals, Q phases of all signals together, L lanes.
"""

from collections.abc import Callable, Sequence

import numpy as np

from trafficrl.control.greedy import lane_pressure
from trafficrl.env.lane_groups import VEHICLE_SPACE_M
from trafficrl.env.phase_places import PhasePlaces
from trafficrl.network.model import Network
from trafficrl.network.surroundings import Surroundings
from trafficrl.simulation.lane_sums import LaneSums
from trafficrl.simulation.state import FloatArray, IntArray, TrafficState

__all__ = ["Feature", "phase_features", "signal_features", "value_features"]

VEHICLES = 20.0
"""So many vehicles count as 1: about what a lane discharges in 40 s of green."""
CELL_VEHICLES = 10.0
"""As many fill 75 m of a lane."""
WAITING_S = 120.0
PHASE_AGE_S = 120.0
LANES = 4.0

Feature = Callable[[TrafficState], FloatArray]


def phase_features(
    network: Network, around: Surroundings, places: PhasePlaces, cell_m: float
) -> dict[str, Feature]:
    """Name -> (Q,) values."""
    count = len(network.lanes)
    stop, behind, sending, ahead = (
        LaneSums(groups, count)
        for groups in (around.stop, around.behind, around.sending, around.ahead)
    )
    both = zip(around.stop, around.behind, strict=True)
    approach = LaneSums([[*near, *far] for near, far in both], count)
    room = np.array([max(lane.length_m / VEHICLE_SPACE_M, 1.0) for lane in network.lanes])
    press = lane_pressure(network)
    released = LanesOfPhases(around.stop, count)
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
        "phase_longest_queue": lambda s: released.largest(s.now.queue_veh) / VEHICLES,
        "phase_vehicles": lambda s: stop(s.now.vehicles_veh)[0] / VEHICLES,
        "phase_approaching": lambda s: behind(s.now.vehicles_veh)[0] / VEHICLES,
        "phase_arriving": lambda s: sending(now_released(s))[0] / VEHICLES,
        "phase_released": lambda s: stop(now_released(s))[0] / VEHICLES,
        "phase_near": lambda s: approach(s.cells_veh[cell_m][0])[0] / CELL_VEHICLES,
        "phase_next": lambda s: approach(s.cells_veh[cell_m][1])[0] / CELL_VEHICLES,
        "phase_waiting": lambda s: mean_waiting_s(s) / WAITING_S,
        "phase_delayed": lambda s: approach(s.now.delayed_veh)[0] / VEHICLES,
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


def value_features(network: Network, around: Surroundings) -> dict[str, Feature]:
    """Name -> (1,) values: means over the signals, so that they mean the same in every city."""
    approaches = LaneSums([[lane for own in around.approach for lane in own]], len(network.lanes))
    scale = VEHICLES * len(network.signals)
    return {
        "network_queue": lambda s: approaches(s.now.queue_veh)[0] / scale,
        "network_vehicles": lambda s: approaches(s.now.vehicles_veh)[0] / scale,
        "network_backlog": lambda s: np.array([s.totals.backlog_veh / scale]),
    }


class LanesOfPhases:
    """The lanes that each phase releases, as one table."""

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

    def largest(self, values: FloatArray) -> FloatArray:
        """(Q,) the largest of the values (L,), which are not negative; 0 without any lane."""
        most: FloatArray = np.append(values, 0.0)[self._lanes].max(axis=1, initial=0.0)
        return most
