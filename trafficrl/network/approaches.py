"""Which lanes wait for which phase: the stop-line lanes and the lanes that lead only to them.

In a generated city a street's tail feeds its own turn lanes and nothing else, so that a queue that
spills back over the turn lanes still belongs to the signal. Shapes: Q phases of all signals
together (signal by signal), L lanes, S signals.
"""

import numpy as np
from numpy.typing import NDArray

from trafficrl.network.model import Network

__all__ = ["controlled_lanes", "downstream_lanes", "waiting_lanes"]

Mask = NDArray[np.float64]


def waiting_lanes(network: Network) -> Mask:
    """(Q, L) 1 where a lane waits for a phase: it ends at a link that the phase makes green."""
    feeders = _feeder_lanes(network)
    rows = []
    for signal in network.signals:
        for phase in signal.phases:
            row = np.zeros(len(network.lanes))
            for link, letter in enumerate(phase.state):
                if letter in "Gg":
                    for lane in signal.incoming_lanes[link]:
                        row[[network.lane_index[name] for name in (lane, *feeders[lane])]] = 1.0
            rows.append(row)
    return np.array(rows).reshape(-1, len(network.lanes))


def downstream_lanes(network: Network) -> Mask:
    """(Q, L) 1 where a phase leads into a lane."""
    rows = []
    for signal in network.signals:
        for phase in signal.phases:
            row = np.zeros(len(network.lanes))
            for link, letter in enumerate(phase.state):
                if letter in "Gg":
                    row[[network.lane_index[name] for name in signal.outgoing_lanes[link]]] = 1.0
            rows.append(row)
    return np.array(rows).reshape(-1, len(network.lanes))


def controlled_lanes(network: Network) -> Mask:
    """(L,) 1 where a lane ends at a signal."""
    mask = np.zeros(len(network.lanes))
    for signal in network.signals:
        for lanes in signal.incoming_lanes:
            mask[[network.lane_index[lane] for lane in lanes]] = 1.0
    return mask


def _feeder_lanes(network: Network) -> dict[str, list[str]]:
    """Lane -> lanes upstream without a signal between, of edges that lead to its edge only."""
    edge_of = {lane.id: edge.id for edge in network.edges for lane in edge.lanes}
    successors: dict[str, set[str]] = {edge.id: set() for edge in network.edges}
    for link in network.connections:
        successors[edge_of[link.from_lane]].add(edge_of[link.to_lane])
    feeders: dict[str, list[str]] = {lane.id: [] for lane in network.lanes}
    for link in network.connections:
        only_way = len(successors[edge_of[link.from_lane]]) == 1
        if link.signal_id is None and only_way:
            feeders[link.to_lane].append(link.from_lane)
    return feeders
