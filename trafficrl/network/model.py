"""A road network as the rest of the house sees it: frozen values, no files but the one for SUMO.

Words: an edge is a one-way road section with lanes; a street is the way from one junction to the
next (in a generated city its tail, then side by side its heads, the edges with the turn lanes).
Shapes: D day phases (see `DAY_PHASES`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from trafficrl.network.signals import Signal

__all__ = ["DAY_PHASES", "Connection", "Edge", "Junction", "LandUse", "Lane", "Network", "Street"]

DAY_PHASES = ("morning", "midday", "evening", "night")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Junction:
    """Where streets meet."""

    id: str
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of an edge; index 0 is the rightmost."""

    id: str
    length_m: float
    speed_mps: float
    shape: tuple[Point, ...]
    open_to_all: bool = True
    """Cars and buses may use it; otherwise only some kinds of motor vehicles."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A one-way road section between two nodes of the SUMO network."""

    id: str
    from_node: str
    to_node: str
    lanes: tuple[Lane, ...]

    @property
    def length_m(self) -> float:
        """Length of the drivable lanes [m]."""
        return self.lanes[0].length_m

    @property
    def speed_mps(self) -> float:
        """Speed limit [m/s]."""
        return self.lanes[0].speed_mps


@dataclass(frozen=True, slots=True)
class Connection:
    """A lawful movement from a lane into a lane."""

    from_lane: str
    to_lane: str
    direction: str
    """SUMO's letter: s straight, r right, l left, t u-turn (R and L: partly)."""
    signal_id: str | None
    link_index: int
    """Index into the signal's state string; -1 without a signal."""
    inner_edge: str | None = None
    """Edge inside the junction on which it begins; None in a network without such."""


@dataclass(frozen=True, slots=True)
class Street:
    """The way from one junction to the next: where trips start and end (on the tail)."""

    tail: str
    """Edge id of the first section."""
    heads: tuple[str, ...]
    """Edge ids at the stop line; the tail itself where the street has one section."""
    from_junction: str
    to_junction: str
    boundary: bool
    """Both ends lie on the border of the network."""
    depart_weight: tuple[float, ...]
    """(D,) how strongly the street draws the start of trips."""
    arrive_weight: tuple[float, ...]
    """(D,) how strongly the street draws the end of trips."""


@dataclass(frozen=True, slots=True)
class LandUse:
    """One rectangular cell of land use."""

    x_m: float
    y_m: float
    width_m: float
    height_m: float
    kind: str
    attractiveness: float
    """Theta in 0..1."""


@dataclass(frozen=True)
class Network:
    """A network and the file that SUMO reads it from.

    Everything is ordered by id or by place in the file, hence the same in every process.
    """

    net_file: Path
    hash: str
    """SHA-256 of all that is known of it: the net file, streets, greens and clearance."""
    junctions: tuple[Junction, ...]
    edges: tuple[Edge, ...]
    connections: tuple[Connection, ...]
    signals: tuple[Signal, ...]
    streets: tuple[Street, ...]
    land_use: tuple[LandUse, ...]

    @cached_property
    def lanes(self) -> tuple[Lane, ...]:
        """All lanes in the order of their edges: the order of every array by lane."""
        return tuple(lane for edge in self.edges for lane in edge.lanes)

    @cached_property
    def lane_index(self) -> dict[str, int]:
        """Lane id -> index into `lanes`."""
        return {lane.id: index for index, lane in enumerate(self.lanes)}

    @cached_property
    def edge_by_id(self) -> dict[str, Edge]:
        """Edge id -> edge."""
        return {edge.id: edge for edge in self.edges}
