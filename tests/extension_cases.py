"""A file of a user's own, with something for every table, and configurations that name it."""

from pathlib import Path

SOURCE = '''
"""Terms and features of one laboratory."""

import numpy as np
from trafficrl.env.lane_groups import GroupedTraffic, LaneGroups


def longest_queue_veh(state, groups: LaneGroups) -> float:
    return (state.mean.queue_veh * groups.controlled).max()


def loaded_share(traffic: GroupedTraffic):
    return traffic.edges[0] / traffic.groups.edge_space_veh


def half_queue(traffic):
    return traffic.waiting(1) / (2 * traffic.groups.waiting_space_veh)


def is_old(traffic):
    return traffic.state.phase_age_s > 15


def arrived_share(traffic):
    return traffic.state.totals.arrived_veh / max(traffic.state.totals.scheduled_veh, 1)


def arrivals_veh(network):
    count = len(network.signals)
    return lambda state: np.full(count, state.arrived_veh / count)


def arrived_here_veh(network):
    return lambda state: state.arrived_veh


def place_of_phase(network):
    places = [place / 10 for signal in network.signals for place in range(len(signal.phases))]
    return lambda state: np.array(places)


REWARD_TERMS = {"longest_queue_veh": longest_queue_veh}
EDGE_FEATURES = {"loaded_share": loaded_share}
PHASE_FEATURES = {"half_queue": half_queue}
SIGNAL_FEATURES: dict[str, object] = {"is_old": is_old}
NETWORK_FEATURES = {"arrived_share": arrived_share}
LOCAL_TERMS = {"arrivals_veh": arrivals_veh}
LOCAL_PHASE_FEATURES = {"place": place_of_phase}
LOCAL_SIGNAL_FEATURES = {"arrivals": arrivals_veh}
LOCAL_VALUE_FEATURES = {"arrived_here": arrived_here_veh}
'''


def extension_file(folder: Path, source: str = SOURCE) -> Path:
    file = folder / "my_terms.py"
    file.write_text(source, encoding="utf-8")
    return file
