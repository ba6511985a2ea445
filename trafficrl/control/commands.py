"""What a controller can say to all signals at a decision.

Shapes: S signals, P the most phases that any signal has.
"""

from dataclasses import dataclass

from trafficrl.simulation.state import FloatArray, IntArray

__all__ = ["Command", "FollowPlan", "NextPhase", "PhaseDurations"]


@dataclass(frozen=True, slots=True)
class FollowPlan:
    """The fixed-time plan of the network goes on for an interval, untouched.

    Only as long as no other command has been given: an interrupted plan cannot be taken up again.
    """

    interval_s: float


@dataclass(frozen=True, slots=True)
class NextPhase:
    """Each signal goes to a phase, through its clearance, and stays until the next decision.

    A signal whose green is younger than its minimum keeps its phase.
    """

    phase: IntArray  # (S,) index into the signal's phases
    interval_s: float


@dataclass(frozen=True, slots=True)
class PhaseDurations:
    """Each signal shows all its phases once, in their order, within one cycle."""

    green_s: FloatArray  # (S, P) greens [s]; 0 beyond a signal's last phase
    cycle_s: float


Command = FollowPlan | NextPhase | PhaseDurations
