"""Whole numbers by share: the largest-remainder method (Hamilton 1792), in which nothing is lost.

Shapes: K parts.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["apportion"]


def apportion(total: int, weight: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """(K,) whole numbers that sum to total, each less than 1 from its share by weight (K,).

    Of equal remainders the earlier part wins. A total of 0 needs no weight at all.
    """
    weights = np.asarray(weight, dtype=np.float64)
    exact = weights * total / weights.sum() if total else np.zeros(len(weights))
    # Rounding noise costs a share such as 0.29 no vehicle, and makes no equal remainders differ.
    counts = np.floor(exact + 1e-9).astype(np.int64)
    neediest = np.argsort(np.round(counts - exact, 9), kind="stable")
    counts[neediest[: total - counts.sum()]] += 1
    return counts
