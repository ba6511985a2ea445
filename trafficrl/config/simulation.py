"""How SUMO simulates beside network and demand: its own defaults, or those of an older study."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trafficrl.config.checks import check_choice, check_range
from trafficrl.config.sumo_options import check_option, long_name
from trafficrl.errors import ConfigError, unknown_name

__all__ = ["DEPART_LANES", "DEPART_SPEEDS", "SimulationConfig"]

DEPART_LANES = ("random", "free", "allowed", "best", "best_prob", "first")
"""SUMO's words for departLane."""
DEPART_SPEEDS = ("random", "max", "desired", "speedLimit", "last", "avg")
"""SUMO's words for departSpeed."""


@dataclass(kw_only=True)
class SimulationConfig:
    """The same for all scenarios, controllers and seeds; two of them are never to be compared."""

    depart_speed: str = ""
    """departSpeed of vehicles whose demand does not say; empty for SUMO's own (`avg`)."""
    depart_lane: str = ""
    """departLane of vehicles whose demand does not say; empty for SUMO's own (`best_prob`)."""
    time_to_teleport_s: float = 300.0
    """A vehicle that stood that long is put beyond its jam [s]; -1 for never."""
    options: dict[str, Any] = field(default_factory=dict)
    """More of SUMO's options by their long names, such as `{lateral-resolution: 0.8}`."""

    def __post_init__(self) -> None:
        if self.time_to_teleport_s != -1:
            where = "simulation.time_to_teleport_s"
            check_range(where, self.time_to_teleport_s, 1, 1_000_000, unit="s, or -1")
        if self.depart_lane:
            # Streets have different lanes: a number would end the simulation on one that lacks it.
            check_choice("simulation.depart_lane", self.depart_lane, DEPART_LANES)
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", self.depart_speed):
            check_range("simulation.depart_speed", float(self.depart_speed), 0, 100, unit="m/s")
        elif self.depart_speed and self.depart_speed not in DEPART_SPEEDS:
            raise ConfigError(
                f"{unknown_name('simulation.depart_speed', self.depart_speed, DEPART_SPEEDS)}, "
                "or a speed >= 0 [m/s]"
            )
        self.options = _checked(self.options)


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options by their long names."""
    found: dict[str, Any] = {}
    written: dict[str, str] = {}
    for name, value in _flat("", options):
        where = f"simulation.options.{name}"
        check_option(where, name)
        if not isinstance(value, bool | int | float | str):
            raise ConfigError(f"{where} must be a word, a number or true/false, got {value!r}")
        known = long_name(name)
        # With and without dots, the same spelling may stand twice: the later one was meant.
        if written.setdefault(known, name) != name:
            raise ConfigError(f"{where} is given twice, also as {written[known]}")
        found[known] = value
    return found


def _flat(prefix: str, options: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Dots in an option's name look like nesting to Hydra: here they are dots again."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value
