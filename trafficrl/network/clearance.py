"""How long a yellow must be, so that who cannot stop any more is through before red."""

from trafficrl.network.model import Network

__all__ = ["least_yellow_s", "short_yellows"]

REACTION_S = 1.0
DECELERATION_MPS2 = 3.5
"""Reaction and braking that the German guidelines for signals (RiLSA) reckon with."""


def least_yellow_s(speed_mps: float) -> float:
    """Yellow for that speed limit [s]: reaction, and half the time of braking to a stop."""
    return REACTION_S + speed_mps / (2.0 * DECELERATION_MPS2)


def short_yellows(network: Network) -> dict[str, float]:
    """Signal id -> yellow that its fastest approach needs [s], where it has less.

    A signal without any yellow is left out: that is asked for to stand beside results of old.
    """
    found = {}
    for signal in network.signals:
        lanes = {lane for link in signal.incoming_lanes for lane in link}
        speeds = [network.lanes[network.lane_index[lane]].speed_mps for lane in lanes]
        needed_s = least_yellow_s(max(speeds, default=0.0))
        if 0 < signal.yellow_s < round(needed_s, 1):
            found[signal.id] = needed_s
    return found
