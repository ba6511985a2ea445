"""Where vehicles stood: the queue of each edge, over an episode and in each slice of its time.

Shapes: L lanes (order of `Network.lanes`), E edges, T slices of an episode.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trafficrl.evaluation.outcome import EpisodeResult, SliceQueues
from trafficrl.files import save_text
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["edge_queues", "mean_queues", "mean_slice_queues", "save_queues", "slice_queues"]

DIGITS, SLICE_DIGITS = 4, 3
"""Of a vehicle: a mean, and one of the many values of the slices."""
MOST_SLICES = 200
"""Of an episode: an hour in seconds would be 3,600 numbers for each edge."""


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
    by_edge = _of_edges(total, network) / length_s  # (E,)
    return {
        edge.id: queue_veh
        for edge, queue_veh in zip(network.edges, by_edge.tolist(), strict=True)
        if queue_veh > 0
    }


def slice_queues(
    states: Sequence[TrafficState], network: Network, *, length_s: float, slice_s: float
) -> SliceQueues:
    """The same in each slice of the episode; a decision that reaches over two counts in both.

    Args:
        states: one a decision.
        network: on which they were.
        length_s: of the episode.
        slice_s: wanted length of a slice; several are taken together where there would be too many.
    """
    slice_s *= max(1, math.ceil(length_s / slice_s / MOST_SLICES))
    count = max(1, math.ceil(length_s / slice_s - 1e-9))
    total = np.zeros((count, len(network.lanes)))  # (T, L)
    for state in states:
        begin_s = state.elapsed_s - state.interval_s
        first = min(int(begin_s / slice_s), count - 1)
        for index in range(first, min(math.ceil(state.elapsed_s / slice_s), count)):
            low_s, high_s = index * slice_s, (index + 1) * slice_s
            shared_s = min(state.elapsed_s, high_s) - max(begin_s, low_s)
            total[index] += state.mean.queue_veh * max(shared_s, 0.0)
    bounds_s = np.minimum(np.arange(count + 1) * slice_s, length_s)
    by_edge = _of_edges(total, network) / np.diff(bounds_s)[:, None]  # (T, E)
    rounded = by_edge.round(DIGITS).T.tolist()
    return SliceQueues(
        slice_s,
        {edge.id: tuple(row) for edge, row in zip(network.edges, rounded, strict=True) if any(row)},
    )


def _of_edges(lanes: FloatArray, network: Network) -> FloatArray:
    """(..., L) summed over the lanes of each edge: (..., E)."""
    first_lane = np.cumsum([0, *(len(edge.lanes) for edge in network.edges)])[:-1]
    sums: FloatArray = np.add.reduceat(lanes, first_lane, axis=-1)
    return sums


def mean_queues(episodes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Edge -> mean over the episodes [veh], the longest queue first."""
    edges = {edge for episode in episodes for edge in episode}
    means = {
        edge: sum(episode.get(edge, 0.0) for episode in episodes) / len(episodes) for edge in edges
    }
    return {edge: means[edge] for edge in sorted(means, key=lambda edge: (-means[edge], edge))}


def mean_slice_queues(episodes: Sequence[SliceQueues | None]) -> SliceQueues | None:
    """Mean over the episodes; None where one kept none, or slices of another length."""
    known = [one for one in episodes if one is not None]
    if not known or len(known) < len(episodes) or len({one.slice_s for one in known}) > 1:
        return None
    rows: dict[str, list[tuple[float, ...]]] = {}
    for one in known:
        for edge, row in one.edge_queue_veh.items():
            rows.setdefault(edge, []).append(row)
    means = {
        edge: tuple((np.sum(found, axis=0) / len(known)).tolist())
        for edge, found in sorted(rows.items())
    }
    return SliceQueues(known[0].slice_s, means)


def save_queues(results: Sequence[EpisodeResult], file: Path) -> None:
    """The file holds the mean queues over the seeds [veh], as JSON.

    `edge_queue_veh` has controller -> scenario -> edge -> mean over time. Where all episodes kept
    them, `slice_queue_veh` has a list for each edge instead, one value a slice of `slice_s` [s].
    """
    parts: dict[tuple[str, str], list[EpisodeResult]] = {}
    for result in results:
        parts.setdefault((result.controller, result.scenario), []).append(result)
    means = {
        key: {edge: round(veh, DIGITS) for edge, veh in mean_queues(edges_of(found)).items()}
        for key, found in parts.items()
    }
    values: dict[str, Any] = {"edge_queue_veh": nested(means.items())}
    sliced = {
        key: mean_slice_queues([one.slice_queues for one in found]) for key, found in parts.items()
    }
    kept = {key: queues for key, queues in sliced.items() if queues is not None}
    if kept and len(kept) == len(parts) and len({queues.slice_s for queues in kept.values()}) == 1:
        values["slice_s"] = next(iter(kept.values())).slice_s
        values["slice_queue_veh"] = nested((key, short(queues)) for key, queues in kept.items())
    save_text(file, json.dumps(values, separators=(",", ":")) + "\n")


def edges_of(results: Iterable[EpisodeResult]) -> list[Mapping[str, float]]:
    """The mean queues of each episode."""
    return [result.edge_queue_veh for result in results]


def nested(rows: Iterable[tuple[tuple[str, str], Any]]) -> dict[str, dict[str, Any]]:
    """Controller -> scenario -> value."""
    found: dict[str, dict[str, Any]] = {}
    for (controller, scenario), value in rows:
        found.setdefault(controller, {})[scenario] = value
    return found


def short(queues: SliceQueues) -> dict[str, list[float]]:
    """With as few digits as a map can show: 0 is one of them."""
    return {
        edge: [round(veh, SLICE_DIGITS) or 0 for veh in row]
        for edge, row in queues.edge_queue_veh.items()
    }
