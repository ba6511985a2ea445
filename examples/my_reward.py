"""A reward term of our own: `custom_reward.py` names it.

The table is what a configuration sees; a term is given the traffic of the whole decision.
"""

from trafficrl.env.lane_groups import LaneGroups
from trafficrl.simulation.state import TrafficState


def longest_queue_veh(state: TrafficState, groups: LaneGroups) -> float:
    """Mean queue of the worst lane at a signal [veh]: a mean over lanes would forgive it."""
    return float((state.mean.queue_veh * groups.controlled).max())


REWARD_TERMS = {"longest_queue_veh": longest_queue_veh}
