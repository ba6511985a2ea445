"""Which lanes wait for which phase, and where they lead.

A phase is judged by its stop-line lanes alone: vehicles further up the street cannot use its green
yet, and counting them starves the short turn lanes of the other phases.
Shapes: Q phases of all signals together (signal by signal), L lanes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trafficrl.network.model import Network
from trafficrl.network.signals import GREEN, Signal

__all__ = ["controlled_lanes", "downstream_lanes", "waiting_lanes"]

Mask = NDArray[np.float64]


def waiting_lanes(network: Network) -> Mask:
    """(Q, L) 1 where a lane ends at a link that the phase makes green."""
    return _lanes_of_phases(network, lambda signal, link: signal.incoming_lanes[link])


def downstream_lanes(network: Network) -> Mask:
    """(Q, L) 1 where a phase leads into a lane."""
    return _lanes_of_phases(network, lambda signal, link: signal.outgoing_lanes[link])


def controlled_lanes(network: Network) -> Mask:
    """(L,) 1 where a lane ends at a signal."""
    mask = np.zeros(len(network.lanes))
    for signal in network.signals:
        for lanes in signal.incoming_lanes:
            mask[[network.lane_index[lane] for lane in lanes]] = 1.0
    return mask


def _lanes_of_phases(
    network: Network, lanes_of_link: Callable[[Signal, int], tuple[str, ...]]
) -> Mask:
    phases = [(signal, phase) for signal in network.signals for phase in signal.phases]
    mask = np.zeros((len(phases), len(network.lanes)))
    for row, (signal, phase) in zip(mask, phases, strict=True):
        for link, letter in enumerate(phase.state):
            if letter in GREEN:
                row[[network.lane_index[lane] for lane in lanes_of_link(signal, link)]] = 1.0
    return mask
