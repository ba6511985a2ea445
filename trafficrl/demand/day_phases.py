"""Day phases: which of the land-use weights hold at a clock time. The only table of them."""

import numpy as np
import numpy.typing as npt

from trafficrl.network.model import DAY_PHASES

__all__ = ["day_phase"]

PHASE_FROM_H = (
    (0, "night"),
    (6, "morning"),
    (10, "midday"),
    (16, "evening"),
    (20, "midday"),
    (22, "night"),
)
FROM_H = np.array([hour for hour, _ in PHASE_FROM_H], dtype=np.float64)
PHASE = np.array([DAY_PHASES.index(name) for _, name in PHASE_FROM_H], dtype=np.int64)


def day_phase(clock_s: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Index into `DAY_PHASES` of each clock time [s]; a new day begins after 24 h."""
    clock_h = np.asarray(clock_s, dtype=np.float64) % 86400.0 / 3600.0
    return PHASE[np.searchsorted(FROM_H, clock_h, side="right") - 1]
