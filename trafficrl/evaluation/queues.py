"""Where vehicles stood: the mean queue of each edge, of one episode and of several.

Shapes: L lanes (order of `Network.lanes`), E edges.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trafficrl.evaluation.outcome import EpisodeResult
from trafficrl.files import save_text
from trafficrl.network.model import Network
from trafficrl.simulation.state import TrafficState

__all__ = ["edge_queues", "mean_queues", "save_queues"]

DIGITS = 4
"""In the file, of a vehicle."""


def edge_queues(
    states: Sequence[TrafficState], network: Network, *, length_s: float
) -> dict[str, float]:
    """Edge -> standing vehicles, mean over the episode [veh]; edges without any are left out.

    Args:
        states: one a decision.
        network: on which they were.
        length_s: of the episode; one that emptied earlier counts as if it had gone on.
    """
    total = np.zeros(len(network.lanes))  # (L,)
    for state in states:
        total += state.mean.queue_veh * state.interval_s
    first_lane = np.cumsum([0, *(len(edge.lanes) for edge in network.edges)])[:-1]
    by_edge = np.add.reduceat(total, first_lane) / length_s  # (E,)
    return {
        edge.id: queue_veh
        for edge, queue_veh in zip(network.edges, by_edge.tolist(), strict=True)
        if queue_veh > 0
    }


def mean_queues(episodes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Edge -> mean over the episodes [veh], the longest queue first."""
    edges = {edge for episode in episodes for edge in episode}
    means = {
        edge: sum(episode.get(edge, 0.0) for episode in episodes) / len(episodes) for edge in edges
    }
    return {edge: means[edge] for edge in sorted(means, key=lambda edge: (-means[edge], edge))}


def save_queues(results: Sequence[EpisodeResult], file: Path) -> None:
    """The file holds controller -> scenario -> edge -> mean queue over the seeds [veh], as JSON."""
    episodes: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    for result in results:
        by_scenario = episodes.setdefault(result.controller, {})
        by_scenario.setdefault(result.scenario, []).append(result.edge_queue_veh)
    rows = {
        controller: {
            scenario: {
                edge: round(queue_veh, DIGITS) for edge, queue_veh in mean_queues(found).items()
            }
            for scenario, found in by_scenario.items()
        }
        for controller, by_scenario in episodes.items()
    }
    save_text(file, json.dumps({"edge_queue_veh": rows}, separators=(",", ":")) + "\n")
