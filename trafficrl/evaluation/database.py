"""Every judged episode, kept for good: what was run once under one configuration is known.

A folder with three tables: `episodes` (one row an episode), and joined to it by `id` its `slices`
(vehicles by type and by scheduled departure) and its `queues` (by edge, as means and over time).
DuckDB reads them as they lie:

    SELECT controller, avg(delay_s) FROM 'outputs/evaluations/episodes/*.parquet' GROUP BY ALL

Such a query mixes whatever is there. `EvaluationDatabase.groups` keeps apart what must never stand
in one table: results of two versions of SUMO, or of two sets of its options.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from trafficrl.errors import RunError
from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import EpisodeIdentity, Outcome
from trafficrl.evaluation.schema import (
    EPISODES,
    IDENTITY,
    METRICS,
    QUEUES,
    SLICE_QUEUES,
    SLICES,
    SLICES_OF_EPISODE,
    Queues,
    queue_row,
    queues_of,
)
from trafficrl.evaluation.shard_names import (
    EPISODES_TABLE,
    PREFIX_LENGTH,
    shard_name,
    shard_prefix,
)
from trafficrl.evaluation.shards import (
    check_writable,
    list_shards,
    read_shards,
    remove_unfinished,
    write_shard,
)
from trafficrl.evaluation.slices import SliceMetrics
from trafficrl.simulation.options import MESOSCOPIC

__all__ = ["EvaluationDatabase", "RecordedEpisode", "SumoBuild"]

WITHOUT_EMISSIONS: dict[str, Any] = {"co2_g": None, "fuel_g": None}


@dataclass(frozen=True, slots=True)
class SumoBuild:
    """What two episodes must share to stand in one table."""

    sumo: str
    """Version."""
    options: str
    """SUMO's options beside network, demand and seed."""

    @property
    def name(self) -> str:
        """Which SUMO, and its model if that is not the usual one."""
        mesoscopic = " ".join(MESOSCOPIC) in self.options
        return f"SUMO {self.sumo}{', mesoscopic model' if mesoscopic else ''}"


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    """One row of the table of episodes."""

    id: str
    recorded: str
    """When, in UTC."""
    identity: EpisodeIdentity
    metrics: EpisodeMetrics
    reward: float


class EvaluationDatabase:
    """The tables in one folder, shared by any number of processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._episodes, self._slices = folder / EPISODES_TABLE, folder / "slices"
        self._queues = folder / "queues"

    def clear_leftovers(self) -> None:
        """What writers that were killed long ago left behind is gone."""
        for table in (self._episodes, self._slices, self._queues):
            remove_unfinished(table)

    def check_writable(self) -> None:
        """Return when episodes can be recorded: better than after the first of them has run.

        Raises:
            RunError: they cannot.
        """
        for table in (self._episodes, self._slices, self._queues):
            check_writable(table)

    def record(self, identity: EpisodeIdentity, outcome: Outcome) -> None:
        """The episode is known from now on.

        Raises:
            RunError: it cannot be written.
        """
        assert outcome.reward is not None, "the episode was run"
        row_id = uuid4().hex
        recorded = datetime.now(timezone.utc).isoformat(timespec="microseconds")
        name = shard_name(identity, row_id)
        slices = [(row_id, *astuple(one)) for one in outcome.slices]
        if slices:  # before the episode: where that is known, the rest is whole
            write_shard(self._slices / name, SLICES, slices)
        write_shard(self._queues / name, QUEUES | SLICE_QUEUES, [queue_row(row_id, outcome)])
        metrics = astuple(outcome.metrics)
        row = (row_id, recorded, *astuple(identity), *metrics, outcome.reward)
        write_shard(self._episodes / name, EPISODES, [row])

    def known(self, wanted: Sequence[EpisodeIdentity]) -> dict[EpisodeIdentity, Outcome]:
        """What has been run before for the same configuration, SUMO and seed.

        The reward comes along only where it was the same. Damaged files are left out, with a
        warning that names them.
        """
        prefixes = {shard_prefix(identity) for identity in wanted}
        files = [f for f in list_shards(self._episodes) if f.name[:PREFIX_LENGTH] in prefixes]
        recorded = [episode_of(row) for row in read_shards(files, EPISODES)]
        slices, queues = self.slices(recorded), self.queues(recorded)
        whole = [one for one in recorded if one.id in slices and one.id in queues]
        found = {}
        for identity in wanted:
            serving = [one for one in whole if serves(one, identity)]
            if serving:
                episode = min(serving, key=partial(preference, identity))
                outcome = as_asked(episode, slices[episode.id], identity)
                means, over_time = queues[episode.id]
                found[identity] = replace(outcome, edge_queue_veh=means, slice_queues=over_time)
        return found

    def groups(self) -> dict[SumoBuild, list[RecordedEpisode]]:
        """Every episode, each once, by what two must share to be compared; by time of record.

        Damaged files are left out, with a warning that names them.
        """
        rows = read_shards(list_shards(self._episodes), EPISODES)
        found: dict[SumoBuild, dict[tuple[str, int], RecordedEpisode]] = {}
        # Two processes that began at once may both have run it; the one that knows more counts.
        order = sorted(
            map(episode_of, rows),
            key=lambda one: (not one.identity.emissions, one.recorded, one.id),
        )
        for episode in order:
            identity = episode.identity
            build = SumoBuild(identity.sumo, identity.options)
            same = (identity.configuration, identity.sumo_seed)
            found.setdefault(build, {}).setdefault(same, episode)
        return {build: list(episodes.values()) for build, episodes in found.items()}

    def episodes(self, build: SumoBuild | None = None) -> list[RecordedEpisode]:
        """The episodes of one build of SUMO, each once.

        Args:
            build: which; None where there is only one.

        Raises:
            RunError: there are several, and none was chosen.
        """
        groups = self.groups()
        if build is not None:
            return groups.get(build, [])
        if len(groups) > 1:
            builds = "; ".join(f"{one.name} with {one.options}" for one in groups)
            raise RunError(
                f"{self.folder} holds results that cannot be compared: choose one of: {builds}"
            )
        return [episode for found in groups.values() for episode in found]

    def slices(self, episodes: Iterable[RecordedEpisode]) -> dict[str, tuple[SliceMetrics, ...]]:
        """Id of each episode -> its slices; one whose file is gone or damaged is left out."""
        found: dict[str, list[SliceMetrics]] = {}
        files = {}
        for episode in episodes:
            if not episode.metrics.scheduled:  # nobody drove
                found[episode.id] = []
            files[episode.id] = self._slices / shard_name(episode.identity, episode.id)
        there = [file for file in files.values() if file.exists()]
        for row_id, *values in read_shards(there, SLICES):
            slices = SliceMetrics(**dict(zip(SLICES_OF_EPISODE, values, strict=True)))
            found.setdefault(row_id, []).append(slices)
        return {row_id: tuple(slices) for row_id, slices in found.items()}

    def queues(self, episodes: Iterable[RecordedEpisode]) -> dict[str, Queues]:
        """Id of each episode -> edge -> mean queue [veh], and the same over time, None where it
        was not kept; a damaged file is left out likewise."""
        files = [self._queues / shard_name(one.identity, one.id) for one in episodes]
        there = [file for file in files if file.exists()]
        columns = QUEUES | SLICE_QUEUES
        return dict(map(queues_of, read_shards(there, columns, optional=SLICE_QUEUES)))


def episode_of(row: Sequence[Any]) -> RecordedEpisode:
    """A row of the table as objects."""
    values = dict(zip(EPISODES, row, strict=True))
    return RecordedEpisode(
        id=values["id"],
        recorded=values["recorded"],
        identity=EpisodeIdentity(**{name: values[name] for name in IDENTITY}),
        metrics=EpisodeMetrics(**{name: values[name] for name in METRICS}),
        reward=values["reward"],
    )


def serves(episode: RecordedEpisode, wanted: EpisodeIdentity) -> bool:
    """The episode is the wanted one, and all that is wanted of it was measured."""
    found = episode.identity
    return (
        (found.configuration, found.sumo, found.sumo_seed, found.slice_s)
        == (wanted.configuration, wanted.sumo, wanted.sumo_seed, wanted.slice_s)
    ) and found.emissions >= wanted.emissions


def preference(wanted: EpisodeIdentity, episode: RecordedEpisode) -> tuple[bool, str]:
    """Orders what serves: first what has the wanted reward, then what came first."""
    return episode.identity.reward_terms != wanted.reward_terms, episode.recorded


def as_asked(
    episode: RecordedEpisode, slices: tuple[SliceMetrics, ...], wanted: EpisodeIdentity
) -> Outcome:
    """What running the wanted episode would have given, but for the reward of another run."""
    same_reward = episode.identity.reward_terms == wanted.reward_terms
    metrics = episode.metrics
    if not wanted.emissions:
        metrics = replace(metrics, **WITHOUT_EMISSIONS)
        slices = tuple(replace(one, **WITHOUT_EMISSIONS) for one in slices)
    return Outcome(metrics, slices, episode.reward if same_reward else None)
