"""Names of the database's files: what can be told of an episode without opening its file."""

from pathlib import Path

from trafficrl.evaluation.outcome import EpisodeIdentity
from trafficrl.evaluation.shards import SUFFIX

__all__ = ["EPISODES_TABLE", "PREFIX_LENGTH", "shard_name", "shard_prefix", "shard_seed"]

EPISODES_TABLE = "episodes"
CONFIGURATION_LETTERS, SEED_DIGITS = 16, 10
PREFIX_LENGTH = CONFIGURATION_LETTERS + SEED_DIGITS + 2


def shard_prefix(identity: EpisodeIdentity) -> str:
    """Begins the name of every file that may hold the episode: others need not be opened."""
    return f"{identity.configuration[:CONFIGURATION_LETTERS]}-{identity.sumo_seed:0{SEED_DIGITS}d}-"


def shard_name(identity: EpisodeIdentity, row_id: str) -> str:
    """Name of the files of an episode: one in each table."""
    return f"{shard_prefix(identity)}{row_id}{SUFFIX}"


def shard_seed(file: Path) -> str:
    """SUMO's seed of the episode in a file, as its digits stand there."""
    return file.name[CONFIGURATION_LETTERS + 1 : PREFIX_LENGTH - 1]
