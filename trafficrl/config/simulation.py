"""How SUMO simulates beside network and demand: its own defaults, or those of an older study."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trafficrl.config.checks import check_range
from trafficrl.errors import ConfigError

__all__ = ["OURS", "SimulationConfig", "is_ours"]

OURS = {
    "net-file": "network",
    "route-files": "scenarios",
    "additional-files": "scenarios.NAME.additional",
    "begin": "scenarios.NAME.begin_s",
    "end": "execution.end_time",
    "step-length": "network.step_length",
    "seed": "seed",
    "random": "seed",
    "time-to-teleport": "simulation.time_to_teleport_s",
    "default.departspeed": "simulation.depart_speed",
    "default.departlane": "simulation.depart_lane",
    "device.emissions.probability": "evaluation.emissions",
}
"""SUMO's option -> our key for it."""
FILES = re.compile(
    r"file|output|dump|prefix|path|save|load|template|schema|jupedsim|replay|astar|weight|"
    r"^configuration|^remote-port|^num-clients|(^|-)log(\.|$)|^duration-log|breakpoints|^language"
)
"""Options that name files or ports: runs write what they are told to, into their own folder."""


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
        self.options = dict(_flat("", self.options))
        for name, value in self.options.items():
            where = f"simulation.options.{name}"
            if name in OURS:
                raise ConfigError(f"{where} is not yours to set: use {OURS[name]}")
            if is_ours(name):
                raise ConfigError(f"{where}: options that name files or ports cannot be given")
            if not re.fullmatch(r"[a-z][a-zA-Z0-9.-]*", name):
                raise ConfigError(
                    f"{where}: write SUMO's long name of the option without dashes before"
                )
            if not isinstance(value, bool | int | float | str):
                raise ConfigError(f"{where} must be a word, a number or true/false, got {value!r}")


def is_ours(name: str) -> bool:
    """The option of SUMO follows from other keys, or would read or write files of its own."""
    return name in OURS or FILES.search(name) is not None


def _flat(prefix: str, options: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Dots in an option's name look like nesting to Hydra: here they are dots again."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value
