"""A scenario ready to run: the files that SUMO reads, and when it begins and ends."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["DemandSeeds", "Scenario"]


@dataclass(frozen=True, slots=True)
class DemandSeeds:
    """The two seeds that decide every trip of a scenario."""

    private: int
    public: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """Built demand on a built network."""

    name: str
    net_file: Path
    route_files: tuple[Path, ...]
    begin_s: float
    end_s: float
    num_scheduled: int | None = None
    """Vehicles whose departure lies in begin_s..end_s: what a controller is judged on; None where
    SUMO draws them or leaves some out."""
    additional_files: tuple[Path, ...] = ()
