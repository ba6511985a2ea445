"""Every error that a user can cause, as one tree; our own invariants are plain `assert`.

TrafficRLError
├── ConfigError       a wrong key, type, range, unit or combination in the configuration
├── NetworkError      a network that cannot be built or read
├── DemandError       trips that cannot be generated or read
├── SimulationError   a SUMO that would not start, or died
├── CheckpointError   a model or checkpoint that is missing, damaged or does not fit
└── RunError          a run folder that cannot be used as asked

A message is one line: what, where, the value, its unit, the choices.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DemandError",
    "NetworkError",
    "RunError",
    "SimulationError",
    "TrafficRLError",
    "unknown_name",
]


class TrafficRLError(Exception):
    """Root of the errors whose message alone tells the user what to mend."""


class ConfigError(TrafficRLError):
    """A wrong key, type, range, unit or combination in the configuration."""


class NetworkError(TrafficRLError):
    """A network that cannot be built or read."""


class DemandError(TrafficRLError):
    """Trips that cannot be generated or read."""


class SimulationError(TrafficRLError):
    """A SUMO that would not start, or died: holds command line and simulation time."""


class CheckpointError(TrafficRLError):
    """A model or checkpoint that is missing, damaged or does not fit."""


class RunError(TrafficRLError):
    """A run folder that cannot be used as asked."""


def unknown_name(where: str, value: object, choices: Iterable[str]) -> str:
    """The message for a name outside a known set, with the nearest choice first."""
    names = sorted(choices)
    near = get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"{where}: unknown {value!r}{hint}; choices: {', '.join(names)}"
