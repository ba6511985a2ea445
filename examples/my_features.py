"""Features of our own: `custom_observation.py` names them.

A feature answers one number for each member of its scope, 1 being full; what is beyond is cut.
"""

from trafficrl.env.lane_groups import GroupedTraffic
from trafficrl.simulation.state import FloatArray


def phase_blocked(traffic: GroupedTraffic) -> FloatArray:
    """(phases,) how full of standing vehicles the lanes are that a phase leads to."""
    queues_veh: FloatArray = traffic.phases[1, traffic.groups.num_phases :]
    return queues_veh / traffic.groups.downstream_space_veh


def served_share(traffic: GroupedTraffic) -> float:
    """Share of the vehicles due so far that have arrived."""
    totals = traffic.state.totals
    return totals.arrived_veh / max(totals.scheduled_veh, 1)


PHASE_FEATURES = {"phase_blocked": phase_blocked}
NETWORK_FEATURES = {"served_share": served_share}
