"""Episodes that are in the database, but from other code: what a mended line has made unknown."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from trafficrl.evaluation.identity import CIRCUMSTANCES_LETTERS
from trafficrl.evaluation.outcome import EpisodeIdentity
from trafficrl.evaluation.schema import IDENTITY
from trafficrl.evaluation.shard_names import EPISODES_TABLE, shard_prefix, shard_seed
from trafficrl.evaluation.shards import list_shards, read_shards

__all__ = ["count_outdated"]

COLUMNS = ("kind", "parameters", "scenario", "sumo", "sumo_seed", "setting")
MOST_FILES = 5000
"""Opening more would take longer than it is worth [ms each]."""


def count_outdated(folder: Path, unknown: Sequence[EpisodeIdentity]) -> int:
    """How many of the episodes are there from other code or other versions of packages alone.

    Nothing is told of a very large database.

    Args:
        folder: of the database.
        unknown: episodes that it does not know.

    Raises:
        RunError: the folder cannot be read.
    """
    seeds = {shard_seed(Path(shard_prefix(one))) for one in unknown}
    files = [file for file in list_shards(folder / EPISODES_TABLE) if shard_seed(file) in seeds]
    if len(files) > MOST_FILES:
        return 0
    there: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for *same, setting in read_shards(files, {name: IDENTITY[name] for name in COLUMNS}):
        there[(*same, setting[:CIRCUMSTANCES_LETTERS])].add(setting)
    found = 0
    for one in unknown:
        *same, setting = (getattr(one, name) for name in COLUMNS)
        found += bool(there[(*same, setting[:CIRCUMSTANCES_LETTERS])] - {setting})
    return found
