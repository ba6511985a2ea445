"""Fixed time: the plan of the network as it stands in the network file."""

from trafficrl.control.commands import FollowPlan
from trafficrl.simulation.state import TrafficState

__all__ = ["FixedTime"]


class FixedTime:
    """The baseline that every city has: a fixed cycle, blind to traffic."""

    def __init__(self, *, interval_s: float) -> None:
        self._interval_s = interval_s

    def reset(self) -> None:
        """Nothing to forget."""

    def decide(self, state: TrafficState) -> FollowPlan:
        """The plan goes on."""
        return FollowPlan(self._interval_s)
