"""What a network is made from; ranges follow the published grid generator's parameters."""

import math
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Union

from omegaconf import MISSING

from trafficrl.config.checks import check_choice, check_range
from trafficrl.config.custom_lanes import MOST_LANES, load_custom_lanes, parse_custom_lanes
from trafficrl.errors import ConfigError

__all__ = [
    "Attractiveness",
    "ClearanceConfig",
    "GridConfig",
    "NetFileConfig",
    "NetworkConfig",
    "OsmConfig",
    "SignalsConfig",
    "Strategy",
]


class Strategy(Enum):
    """How the links of a signal are grouped into green phases."""

    partial_opposites = "partial_opposites"
    """Opposite approaches together: straight and right, then left and back."""
    opposites = "opposites"
    """Opposite approaches together; who turns left or back yields to the oncoming stream."""
    incoming = "incoming"
    """One approach after the other."""


class Attractiveness(Enum):
    """How strongly each street draws the start and the end of trips."""

    land_use = "land_use"
    """From the land use beside the street."""
    poisson = "poisson"
    """Drawn for each street and day phase."""
    iac = "iac"
    """From land use, with the street's own attraction, mood and position."""


@dataclass(kw_only=True)
class ClearanceConfig:
    """What lies between two greens when a controller decides, and how long a green is at least."""

    yellow_s: float = 3.0
    """Yellow after each green [s]; 0 only to stand beside results published without clearance."""
    all_red_s: float = 2.0
    """All-red between yellow and the next green [s]."""
    all_red_hold_s: float = 0.0
    """How much longer it lasts at most while vehicles that have lost their green still stand inside
    the junction [s]: left turns that waited there for a gap, whom the next green would lock in.
    Signals whose program SUMO runs (fixed, actuated, delay_based) do not wait."""
    min_green_s: float = 5.0
    """Shortest green [s]."""

    def __post_init__(self) -> None:
        check_range("network.signals.yellow_s", self.yellow_s, 0, 10, unit="s")
        check_range("network.signals.all_red_s", self.all_red_s, 0, 10, unit="s")
        check_range("network.signals.all_red_hold_s", self.all_red_hold_s, 0, 60, unit="s")
        check_range("network.signals.min_green_s", self.min_green_s, 1, 60, unit="s")


@dataclass(kw_only=True)
class SignalsConfig(ClearanceConfig):
    """Clearance, and the plan that a signal follows when nobody controls it."""

    cycle_s: float = 90.0
    """Cycle of the fixed-time plan, clearance included [s]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("network.signals.cycle_s", self.cycle_s, 10, 600, unit="s")


@dataclass(kw_only=True)
class NetworkConfig:
    """What every kind of network has; `kind` names the dataclass of the member."""

    kind: str = MISSING
    """Where the network comes from."""
    step_length: float = 1.0
    """Simulation step [s]."""
    signals: ClearanceConfig = field(default_factory=ClearanceConfig)

    def __post_init__(self) -> None:
        check_range("network.step_length", self.step_length, 0.1, 10, unit="s")
        for item in fields(self.signals):
            _check_whole_steps(
                f"network.signals.{item.name}", getattr(self.signals, item.name), self
            )


@dataclass(kw_only=True)
class NetFileConfig(NetworkConfig):
    """A SUMO network that somebody else made; the plans of its signals stay as they are."""

    kind: str = "net_file"
    file: str = MISSING
    """The `.net.xml` or `.net.xml.gz`."""


@dataclass(kw_only=True)
class OsmConfig(NetworkConfig):
    """A network from an OpenStreetMap extract, through SUMO's netconvert."""

    kind: str = "osm"
    file: str = MISSING
    """The `.osm` or `.osm.gz`."""
    guess_signals: bool = False
    """Also put signals where large junctions have none on the map."""
    signals: SignalsConfig = field(default_factory=SignalsConfig)


def _check_whole_steps(field_name: str, value: float, config: NetworkConfig) -> None:
    steps = value / config.step_length
    if abs(steps - round(steps)) > 1e-9:
        near = [whole * config.step_length for whole in (math.floor(steps), math.ceil(steps))]
        raise ConfigError(
            f"{field_name} must be a whole multiple of network.step_length "
            f"{config.step_length:g} [s], got {value:g}: choose {near[0]:g} or {near[1]:g}"
        )


@dataclass(kw_only=True)
class GridConfig(NetworkConfig):
    """A generated city: a square grid of signals, some removed, with land use and turn lanes."""

    kind: str = "grid"
    signals: SignalsConfig = field(default_factory=SignalsConfig)
    network_seed: int = MISSING
    """Draws removed junctions, land use, attractiveness and random lane counts."""
    grid_dimension: int = MISSING
    """Junctions along each side."""
    junctions_to_remove: Union[int, str] = 0  # noqa: UP007 - OmegaConf reads typing.Union only
    """How many junctions to remove, or their ids: "A0,B1"."""
    block_size_m: float = MISSING
    """Distance of neighbouring junctions [m]."""
    lane_count: Union[int, str] = MISSING  # noqa: UP007
    """Lanes of each street: `realistic` (from land use), `random`, or a number 1 to 5; 0 for
    streets of one lane all the way, without turn lanes."""
    custom_lanes: str = ""
    """Streets with other lanes than `lane_count` gives them: "A1B1=tail:3,head:B1C1:2;..."."""
    custom_lanes_file: str = ""
    """A file of such entries, one a line; its content moves to `custom_lanes` when it is read."""
    land_use_block_size_m: float = 25.0
    """Side of a land-use cell [m]."""
    attractiveness: Attractiveness = Attractiveness.land_use
    traffic_light_strategy: Strategy = Strategy.partial_opposites

    @property
    def least_lanes(self) -> int:
        """Lanes that the strategy needs: left turns with a phase of their own need a lane too."""
        return 2 if self.traffic_light_strategy is Strategy.partial_opposites else 1

    @property
    def turn_lanes(self) -> bool:
        """Streets widen before the stop line."""
        return str(self.lane_count) != "0"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grid_dimension == 1:
            raise ConfigError(
                "network.grid_dimension must be in 2..26 [junctions], got 1: "
                "a single junction has no streets"
            )
        check_range("network.network_seed", self.network_seed, 0, 2**32 - 1)
        check_range("network.grid_dimension", self.grid_dimension, 2, 26, unit="junctions")
        check_range("network.block_size_m", self.block_size_m, 50, 1000, unit="m")
        check_range("network.land_use_block_size_m", self.land_use_block_size_m, 10, 100, unit="m")
        if isinstance(self.junctions_to_remove, int):
            most = self.grid_dimension**2 - 2
            check_range("network.junctions_to_remove", self.junctions_to_remove, 0, most)
        self._check_lane_count()
        self._read_custom_lanes()

    def _check_lane_count(self) -> None:
        partial = self.traffic_light_strategy is Strategy.partial_opposites
        if partial and not self.turn_lanes:
            raise ConfigError(
                "network.lane_count 0 has no turn lanes, which the strategy partial_opposites "
                "needs: choose network.traffic_light_strategy opposites or incoming"
            )
        lowest = self.least_lanes if partial else 0
        if isinstance(self.lane_count, int):
            check_range("network.lane_count", self.lane_count, lowest, MOST_LANES, unit="lanes")
        else:
            numbers = [str(number) for number in range(lowest, MOST_LANES + 1)]
            check_choice("network.lane_count", self.lane_count, ["realistic", "random", *numbers])

    def _read_custom_lanes(self) -> None:
        """The entries are sound, and all in `custom_lanes`: a run must not need the file again."""
        if self.custom_lanes and self.custom_lanes_file:
            raise ConfigError(
                "network.custom_lanes and network.custom_lanes_file are both given: give one"
            )
        if self.custom_lanes_file:
            file, self.custom_lanes_file = self.custom_lanes_file, ""
            self.custom_lanes = load_custom_lanes(file, key="network.custom_lanes_file")
        entries = parse_custom_lanes(self.custom_lanes, key="network.custom_lanes")
        if entries and not self.turn_lanes:
            raise ConfigError(
                f"{entries[0].where}: network.lane_count 0 allows no custom lanes: choose 1 to 5"
            )
