"""A scenario ready to run: the files that SUMO reads, and when it begins and ends."""

from dataclasses import dataclass
from pathlib import Path

from trafficrl.demand.route_files import Departures, read_route_files
from trafficrl.network.model import Network

__all__ = ["DemandSeeds", "Scenario", "read_departures"]


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


def read_departures(scenario: Scenario, network: Network, *, step_s: float) -> Departures:
    """The vehicles of the scenario that are due while it runs.

    Raises:
        DemandError: as `read_route_files`.
    """
    return read_route_files(
        scenario.route_files,
        network,
        begin_s=scenario.begin_s,
        end_s=scenario.end_s,
        step_s=step_s,
        additional=scenario.additional_files,
    )
