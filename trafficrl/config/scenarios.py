"""What drives through the network: one dataclass a kind of demand, several scenarios a run."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

from omegaconf import MISSING

from trafficrl.config.checks import check_range, parse_shares
from trafficrl.config.departure_patterns import parse_departure_pattern
from trafficrl.errors import ConfigError

__all__ = [
    "ROUTE_PATTERNS",
    "ROUTING_STRATEGIES",
    "VEHICLE_TYPES",
    "DemandMode",
    "GeneratedScenarioConfig",
    "RouteFileScenarioConfig",
    "ScenarioConfig",
]

ROUTING_STRATEGIES = ("shortest", "realtime", "fastest", "attractiveness")
VEHICLE_TYPES = ("passenger", "public")
ROUTE_PATTERNS = ("in", "out", "inner", "pass")


class DemandMode(Enum):
    """Whether training sees the same trips each episode (`fixed`) or new ones (`fresh`)."""

    fixed = "fixed"
    fresh = "fresh"


@dataclass(kw_only=True)
class ScenarioConfig:
    """What every kind of scenario has; `kind` names the dataclass of the member."""

    kind: str = MISSING
    """Where the demand comes from."""


@dataclass(kw_only=True)
class GeneratedScenarioConfig(ScenarioConfig):
    """Trips drawn from the land use of a generated network.

    The four shares may be written as a mapping (`{realtime: 70, shortest: 30}`) or as a plain
    string ("realtime 70 shortest 30"); after the checks they are dicts of percentages.
    """

    kind: str = "generated"
    num_vehicles: int = MISSING
    """Trips that are scheduled in an episode [veh]."""
    private_traffic_seed: int = MISSING
    """Draws the trips of passenger cars when demand is fixed."""
    public_traffic_seed: int = MISSING
    """Draws the trips of public transport when demand is fixed."""
    demand: DemandMode = DemandMode.fixed
    routing_strategy: Any = "shortest 100"
    """Shares of vehicles by how they find their way [%]."""
    vehicle_types: Any = "passenger 90 public 10"
    """Shares of vehicles by type [%]."""
    passenger_routes: Any = "in 30 out 30 inner 25 pass 15"
    """Shares of passenger trips by route pattern [%]."""
    public_routes: Any = "in 25 out 25 inner 35 pass 15"
    """Shares of public-transport trips by route pattern [%]."""
    departure_pattern: str = "uniform"
    """When vehicles depart: `uniform`, `six_periods`, `rush_hours:...`, `hourly:...` or
    `custom:...`; see `config/departure_patterns.py` for how each is written."""
    start_time_hour: float = 0.0
    """Clock time of the first simulated second [h]: chooses the land-use weights, and the part of
    the day that a departure pattern shows."""
    public_stop_spacing_m: float = 400.0
    """Public transport stops every so many metres of its way [m], as far as its streets have room
    for a bus clear of junctions and turn lanes (50 m); 0: nowhere."""
    public_dwell_s: float = 20.0
    """How long it stands at each stop [s]."""
    depart_lane: str = "best"
    """SUMO's departLane: the lane that a trip enters on."""
    depart_speed: str = "max"
    """SUMO's departSpeed: how fast a trip enters."""

    def __post_init__(self) -> None:
        where = "scenarios.*"
        check_range(f"{where}.num_vehicles", self.num_vehicles, 1, 1_000_000, unit="veh")
        check_range(f"{where}.private_traffic_seed", self.private_traffic_seed, 0, 2**31 - 1)
        check_range(f"{where}.public_traffic_seed", self.public_traffic_seed, 0, 2**31 - 1)
        check_range(f"{where}.start_time_hour", self.start_time_hour, 0, 24, unit="h")
        parse_departure_pattern(f"{where}.departure_pattern", self.departure_pattern)
        if self.public_stop_spacing_m:
            spacing = f"{where}.public_stop_spacing_m"
            check_range(spacing, self.public_stop_spacing_m, 100, 10_000, unit="m, or 0")
        check_range(f"{where}.public_dwell_s", self.public_dwell_s, 1, 600, unit="s")
        for name, choices in (
            ("routing_strategy", ROUTING_STRATEGIES),
            ("vehicle_types", VEHICLE_TYPES),
            ("passenger_routes", ROUTE_PATTERNS),
            ("public_routes", ROUTE_PATTERNS),
        ):
            setattr(self, name, parse_shares(f"{where}.{name}", getattr(self, name), choices))


@dataclass(kw_only=True)
class RouteFileScenarioConfig(ScenarioConfig):
    """Demand that somebody else made: the same trips in every episode, only drivers differ."""

    kind: str = "route_file"
    file: Any = MISSING
    """The `.rou.xml` (trips, vehicles or flows; `.gz` too), or a list of such files."""
    additional: Any = field(default_factory=list)
    """SUMO's additional files that the demand needs (vehicle types, stops), a list."""
    begin_s: float = 0.0
    """Simulation time at which an episode begins [s]; earlier departures are left out."""
    length_s: Optional[float] = None  # noqa: UP045 - OmegaConf reads typing.Optional only
    """How long an episode is meant to last [s]; execution.end_time decides how long it does."""

    def __post_init__(self) -> None:
        for name in ("file", "additional"):
            given = getattr(self, name)
            files = [given] if isinstance(given, str) else given
            if not isinstance(files, list) or not all(
                isinstance(file, str) and file for file in files
            ):
                raise ConfigError(
                    f"scenarios.*.{name} must be a path or a list of paths, got {given!r}"
                )
            setattr(self, name, files)
        if not self.file:
            raise ConfigError("scenarios.*.file is empty: give at least one route file")
        check_range("scenarios.*.begin_s", self.begin_s, 0, 10_000_000, unit="s")
