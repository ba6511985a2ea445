"""What can be paid for: one pure function a term, each integrated over the whole decision."""

from collections.abc import Callable

from trafficrl.env.lane_groups import LaneGroups
from trafficrl.simulation.state import TrafficState

__all__ = ["TERMS", "RewardTerm"]

RewardTerm = Callable[[TrafficState, LaneGroups], float]


def delay_per_signal_veh(state: TrafficState, groups: LaneGroups) -> float:
    """Delay gathered per second and signal, vehicles not yet let in included [veh].

    A vehicle at speed v under a limit u gathers 1 - v/u of delay per second, one that waits to
    enter a whole second. Times signals and seconds, the sum over an episode is the delay that the
    evaluation reports, but for the few percent that are lost inside junctions.
    """
    delayed_veh = float(state.mean.delayed_veh.sum()) + state.mean_backlog_veh
    return delayed_veh / max(groups.num_signals, 1)


def waiting_time_s(state: TrafficState, groups: LaneGroups) -> float:
    """Mean time since the vehicles in the network last moved [s]."""
    return float(state.mean.waiting_s.sum()) / max(float(state.mean.vehicles_veh.sum()), 1.0)


def speed_kmh(state: TrafficState, groups: LaneGroups) -> float:
    """Mean speed over all vehicles in the network [km/h]."""
    return 3.6 * groups.network_speed_mps(state.mean)


def queue_per_lane_veh(state: TrafficState, groups: LaneGroups) -> float:
    """Mean queue of the lanes that end at a signal [veh]."""
    return float(state.mean.queue_veh @ groups.controlled) / groups.num_controlled


def throughput_vps(state: TrafficState, groups: LaneGroups) -> float:
    """Vehicles that arrived, per second of the decision [veh/s]."""
    return state.arrived_veh / state.interval_s


def backlog_veh(state: TrafficState, groups: LaneGroups) -> float:
    """Mean number of vehicles that were due but not yet let in [veh]."""
    return state.mean_backlog_veh


TERMS: dict[str, RewardTerm] = {
    "delay_per_signal_veh": delay_per_signal_veh,
    "waiting_time_s": waiting_time_s,
    "speed_kmh": speed_kmh,
    "queue_per_lane_veh": queue_per_lane_veh,
    "throughput_vps": throughput_vps,
    "backlog_veh": backlog_veh,
}
