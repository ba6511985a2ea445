"""Which lanes motor vehicles may use, from the two lists of classes that a lane can have."""

from collections.abc import Mapping

__all__ = ["on_roads", "open_to_all"]

ROAD_CLASSES = frozenset(
    {
        *("passenger", "private", "taxi", "hov", "vip", "evehicle", "motorcycle", "moped"),
        *("bus", "coach", "delivery", "truck", "trailer"),
        *("emergency", "authority", "army", "custom1", "custom2"),
    }
)
"""SUMO's vehicle classes that drive on roads: the others walk, cycle, or go by rail, water, air."""
GENERATED_CLASSES = frozenset({"passenger", "bus"})
"""The classes of generated traffic."""


def on_roads(lane: Mapping[str, str]) -> bool:
    """Some motor vehicle may use the lane of these XML attributes."""
    return bool(_allowed(lane))


def open_to_all(lane: Mapping[str, str]) -> bool:
    """Cars and buses may use it: generated trips keep to such lanes."""
    return _allowed(lane) >= GENERATED_CLASSES


def _allowed(lane: Mapping[str, str]) -> frozenset[str]:
    """SUMO's rule: `allow` names all that may, otherwise all may but those in `disallow`."""
    allow = lane.get("allow", "").split()
    if allow:
        return ROAD_CLASSES if "all" in allow else ROAD_CLASSES.intersection(allow)
    disallow = lane.get("disallow", "").split()
    return frozenset() if "all" in disallow else ROAD_CLASSES.difference(disallow)
