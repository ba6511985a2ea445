"""Episodes that are in the database, but from other code: what a mended line has made unknown."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from trafficrl.evaluation.database import CONFIGURATION_LETTERS, EPISODES_TABLE, SEED_DIGITS
from trafficrl.evaluation.identity import CIRCUMSTANCES_LETTERS
from trafficrl.evaluation.outcome import EpisodeIdentity
from trafficrl.evaluation.schema import IDENTITY
from trafficrl.evaluation.shards import list_shards, read_shards

__all__ = ["count_outdated"]

COLUMNS = ("kind", "parameters", "scenario", "sumo", "sumo_seed", "setting")
SEED = slice(CONFIGURATION_LETTERS + 1, CONFIGURATION_LETTERS + 1 + SEED_DIGITS)
"""Where a file's name has the seed: files of others need not be opened."""
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
    seeds = {f"{one.sumo_seed:0{SEED_DIGITS}d}" for one in unknown}
    files = [file for file in list_shards(folder / EPISODES_TABLE) if file.name[SEED] in seeds]
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
