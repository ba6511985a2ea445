"""How a vehicle enters the network: checked before SUMO would refuse a route file while it runs."""

import re
from xml.sax.saxutils import quoteattr

from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.config.simulation import DEPART_LANES, DEPART_SPEEDS
from trafficrl.demand.vehicle_types import VEHICLES
from trafficrl.errors import DemandError
from trafficrl.network.model import Network

__all__ = ["insertion_xml"]


def insertion_xml(config: GeneratedScenarioConfig, network: Network) -> str:
    """The XML attributes departLane and departSpeed, good for every vehicle on every street.

    Raises:
        DemandError: a value that SUMO does not know, a lane that some street lacks, or a speed
            that some vehicle cannot or may not drive.
    """
    lane, speed = str(config.depart_lane), str(config.depart_speed)
    if re.fullmatch(r"[0-9]+", lane):
        _check_lane(int(lane), network)
    elif lane not in DEPART_LANES:
        raise DemandError(
            f"depart_lane: unknown {lane!r}; choices: {', '.join(DEPART_LANES)}, "
            "or a lane number from 0"
        )
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", speed):
        _check_speed(float(speed), config, network)
    elif speed not in DEPART_SPEEDS:
        raise DemandError(
            f"depart_speed: unknown {speed!r}; choices: {', '.join(DEPART_SPEEDS)}, "
            "or a speed >= 0 [m/s]"
        )
    return f"departLane={quoteattr(lane)} departSpeed={quoteattr(speed)}"


def _check_lane(lane: int, network: Network) -> None:
    tails = (network.edge_by_id[street.tail] for street in network.streets)
    narrow = min(tails, key=lambda edge: len(edge.lanes), default=None)
    if narrow is not None and lane >= len(narrow.lanes):
        raise DemandError(
            f"depart_lane: street {narrow.id!r} has the lanes 0 to {len(narrow.lanes) - 1}, "
            f"got {lane}"
        )


def _check_speed(speed_mps: float, config: GeneratedScenarioConfig, network: Network) -> None:
    """SUMO ends at a vehicle too slow for it, and makes its driver speed where it is not lawful."""
    limits = {
        f"the top speed of {name!r}": VEHICLES[name].max_speed_mps
        for name, share in config.vehicle_types.items()
        if share
    } | {
        f"the speed limit of street {street.tail!r}": network.edge_by_id[street.tail].speed_mps
        for street in network.streets
    }
    lowest = min(limits, key=lambda name: limits[name])
    if speed_mps > limits[lowest]:
        raise DemandError(
            f"depart_speed must be at most {limits[lowest]:g} [m/s], {lowest}, got {speed_mps:g}"
        )
