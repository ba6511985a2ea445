"""The columns of the tables in which judged episodes are kept."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import EpisodeIdentity, Outcome, SliceQueues
from trafficrl.evaluation.slices import SliceMetrics

__all__ = [
    "EPISODES",
    "IDENTITY",
    "METRICS",
    "QUEUES",
    "SLICES",
    "SLICES_OF_EPISODE",
    "SLICE_QUEUES",
    "Queues",
    "queue_row",
    "queues_of",
]

Queues = tuple[Mapping[str, float], SliceQueues | None]
"""Of an episode: edge -> mean [veh], and over time where that was kept."""

TYPES = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR", bool: "BOOLEAN"}


def columns_of(rows: type) -> dict[str, str]:
    """Column -> DuckDB's type, from the fields of a dataclass."""
    hints = get_type_hints(rows)
    found = {}
    for field in fields(rows):
        kind = hints[field.name]
        if isinstance(kind, types.UnionType):  # or None
            kind = get_args(kind)[0]
        found[field.name] = TYPES[kind]
    return found


KEY = {"id": "VARCHAR", "recorded": "VARCHAR"}
IDENTITY, METRICS = columns_of(EpisodeIdentity), columns_of(EpisodeMetrics)
EPISODES = {**KEY, **IDENTITY, **METRICS, "reward": "DOUBLE"}
SLICES_OF_EPISODE = columns_of(SliceMetrics)
SLICES = {"id": "VARCHAR", **SLICES_OF_EPISODE}
QUEUES = {"id": "VARCHAR", "edge": "VARCHAR[]", "queue_veh": "DOUBLE[]"}
SLICE_QUEUES = {"slice_s": "DOUBLE", "slice_edge": "VARCHAR[]", "slice_queue_veh": "DOUBLE[][]"}
"""Beside them; files from before queues were kept over time do not have these columns."""


def queue_row(row_id: str, outcome: Outcome) -> tuple[Any, ...]:
    """The queues of an episode as their table has them."""
    means, over_time = outcome.edge_queue_veh, outcome.slice_queues
    row = row_id, list(means), list(means.values())
    if over_time is None:
        return (*row, None, None, None)
    by_edge = over_time.edge_queue_veh
    return (*row, over_time.slice_s, list(by_edge), [list(values) for values in by_edge.values()])


def queues_of(row: Sequence[Any]) -> tuple[str, Queues]:
    """Id of the episode, and what a row of the table holds."""
    row_id, edges, means, slice_s, slice_edges, slices = row
    over_time = None
    if slice_s is not None:
        over_time = SliceQueues(slice_s, dict(zip(slice_edges, map(tuple, slices), strict=True)))
    return row_id, (dict(zip(edges, means, strict=True)), over_time)
