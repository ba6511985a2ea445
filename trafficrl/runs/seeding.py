"""All randomness from one seed: named streams, and demand seeds from disjoint ranges.

Training may never see the demand that a policy is judged on: the seeds of training, validation and
test demand come from three ranges that do not meet, whatever the experiment's seed.
"""

from enum import Enum
from hashlib import sha256

import numpy as np

__all__ = ["Split", "demand_seed", "stream"]


class Split(Enum):
    """What a demand is used for: (first seed, how many seeds)."""

    training = (0, 2**30)
    validation = (2**30, 2**29)
    test = (2**30 + 2**29, 2**29)


def demand_seed(split: Split, index: int) -> int:
    """The index-th demand seed of a split.

    Raises:
        ValueError: the index lies outside the split's range.
    """
    first, count = split.value
    if not 0 <= index < count:
        raise ValueError(f"{split.name} demand has seeds 0..{count - 1}, got {index}")
    return int(first + index)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The random stream of that name: the same in every process, independent of all others."""
    key = sha256("/".join(str(name) for name in names).encode()).digest()
    words = [int.from_bytes(key[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))
