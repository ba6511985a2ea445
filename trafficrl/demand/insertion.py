"""How a vehicle enters the network: checked before SUMO would refuse a route file at its start."""

import re
from xml.sax.saxutils import quoteattr

from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.errors import DemandError

__all__ = ["insertion_xml"]

LANES = ("random", "free", "allowed", "best", "best_prob", "first")
SPEEDS = ("random", "max", "desired", "speedLimit", "last", "avg")


def insertion_xml(config: GeneratedScenarioConfig) -> str:
    """The XML attributes departLane and departSpeed.

    Raises:
        DemandError: a value that SUMO does not know.
    """
    lane, speed = str(config.depart_lane), str(config.depart_speed)
    if lane not in LANES and not re.fullmatch(r"[0-9]+", lane):
        raise DemandError(
            f"depart_lane: unknown {lane!r}; choices: {', '.join(LANES)}, or a lane number from 0"
        )
    if speed not in SPEEDS and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", speed):
        raise DemandError(
            f"depart_speed: unknown {speed!r}; choices: {', '.join(SPEEDS)}, or a speed >= 0 [m/s]"
        )
    return f"departLane={quoteattr(lane)} departSpeed={quoteattr(speed)}"
