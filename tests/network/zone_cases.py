"""Land use that the tests of streets and their weights know by heart."""

import numpy as np

from trafficrl.network.zones import LAND_USES, Zones


def uniform_zones(kind: str, *, theta: float = 0.5) -> Zones:
    """Cells of 25 m over 400 m, all alike."""
    index = [use.name for use in LAND_USES].index(kind)
    borders = np.linspace(0.0, 400.0, 17)
    return Zones(borders, borders, np.full((16, 16), index), np.full((16, 16), theta))
