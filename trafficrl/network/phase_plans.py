"""Green phases of a signal: which links share green, who of them yields, and for how long.

Links are numbered as in the signal's state string.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from trafficrl.config.network import SignalsConfig, Strategy
from trafficrl.errors import ConfigError, NetworkError
from trafficrl.network.model import Lane
from trafficrl.network.netxml import ParsedNet, ProgramPhase
from trafficrl.network.right_of_way import Request
from trafficrl.network.signals import Phase, Signal
from trafficrl.network.strategies import Movement, group_movements

__all__ = [
    "SignalLink",
    "build_program",
    "build_signal",
    "green_durations",
    "links_by_signal",
]

YELLOW = "yellow"
ALL_RED = "all-red"
TURNS = {"s": "straight", "r": "right", "R": "right", "l": "left", "L": "left", "t": "u-turn"}


@dataclass(frozen=True, slots=True)
class SignalLink:
    """One link of a signal: where it comes from, how it turns and whom it meets."""

    from_lanes: tuple[str, ...]
    to_lanes: tuple[str, ...]
    movement: Movement
    """Its axis follows from the geometry of its approach."""
    requests: tuple[Request, ...]

    def crosses(self, other: "SignalLink") -> bool:
        """The two ways cross or meet."""
        return any(_has(mine.foes, mine, its) for mine, its in self._pairs(other))

    def yields_to(self, other: "SignalLink") -> bool:
        """By right of way this link waits for the other."""
        return any(_has(mine.response, mine, its) for mine, its in self._pairs(other))

    def _pairs(self, other: "SignalLink") -> list[tuple[Request, Request]]:
        return [(mine, its) for mine in self.requests for its in other.requests]


def _has(mask: int, mine: Request, its: Request) -> bool:
    return mine.junction == its.junction and bool(mask >> its.index & 1)


def links_by_signal(
    net: ParsedNet, street_of: Mapping[str, str] = MappingProxyType({})
) -> dict[str, list[SignalLink]]:
    """Signal id -> its links in the order of its state string.

    Args:
        net: whose signals.
        street_of: Edge at a stop line -> its street, which is the approach; other edges are their
            own.

    Raises:
        NetworkError: a link index without a connection, or a turn that SUMO does not know.
    """
    approaches = {
        lane.id: (street_of.get(edge.id, edge.id), _axis(lane))
        for edge in net.edges
        for lane in edge.lanes
    }
    grouped: dict[str, dict[int, list[SignalLink]]] = {}
    for connection, request in net.requests.items():
        if connection.direction not in TURNS:
            raise NetworkError(f"connection from {connection.from_lane} has no direction")
        movement = Movement(*approaches[connection.from_lane], TURNS[connection.direction])
        ends = (connection.from_lane,), (connection.to_lane,)
        link = SignalLink(*ends, movement, (request,))
        links = grouped.setdefault(str(connection.signal_id), {})
        links.setdefault(connection.link_index, []).append(link)
    return {
        name: [_merged(links, i, name) for i in range(max(links) + 1)]
        for name, links in sorted(grouped.items())
    }


def _axis(lane: Lane) -> str:
    (x0, y0), (x1, y1) = lane.shape[-2:]
    return "NS" if abs(y1 - y0) >= abs(x1 - x0) else "EW"


def _merged(links: Mapping[int, Sequence[SignalLink]], index: int, signal: str) -> SignalLink:
    if index not in links:
        raise NetworkError(f"signal {signal!r}: link {index} controls no connection")
    same = links[index]
    return SignalLink(
        tuple(lane for link in same for lane in link.from_lanes),
        tuple(lane for link in same for lane in link.to_lanes),
        same[0].movement,
        tuple(request for link in same for request in link.requests),
    )


def build_signal(
    name: str,
    links: Sequence[SignalLink],
    strategy: Strategy,
    *,
    config: SignalsConfig,
    step_s: float,
) -> Signal:
    """The signal with the fixed-time plan of its strategy; every link has green in some phase.

    Raises:
        ConfigError: the greens would be shorter than the shortest allowed.
    """
    groups = group_movements([link.movement for link in links], strategy)
    assert {i for _, group in groups for i in group} == set(range(len(links)))
    durations = green_durations(len(groups), config, step_s=step_s)
    return Signal(
        id=name,
        phases=tuple(
            Phase(title, _state(links, group), duration)
            for (title, group), duration in zip(groups, durations, strict=True)
        ),
        yellow_s=config.yellow_s,
        all_red_s=config.all_red_s,
        min_green_s=config.min_green_s,
        incoming_lanes=tuple(link.from_lanes for link in links),
        outgoing_lanes=tuple(link.to_lanes for link in links),
    )


def green_durations(num_phases: int, config: SignalsConfig, *, step_s: float) -> list[float]:
    """Greens [s] of whole steps, as equal as can be, that fill the cycle with their clearances.

    Raises:
        ConfigError: they would be shorter than `min_green_s`.
    """
    clearance_s = config.yellow_s + config.all_red_s
    steps = round((config.cycle_s - num_phases * clearance_s) / step_s)
    each, longer = divmod(steps, num_phases)
    if each * step_s < config.min_green_s - 1e-9:
        raise ConfigError(
            f"network.signals.cycle_s {config.cycle_s:g} [s] leaves {each * step_s:g} s of green "
            f"for each of {num_phases} phases after {clearance_s:g} s of clearance, less than "
            f"min_green_s {config.min_green_s:g}: choose a longer cycle or a shorter clearance"
        )
    return [(each + (phase < longer)) * step_s for phase in range(num_phases)]


def build_program(signal: Signal) -> tuple[ProgramPhase, ...]:
    """The fixed-time plan of a signal as SUMO runs it, clearance included."""
    program = []
    for now, phase in enumerate(signal.phases):
        following = (now + 1) % len(signal.phases)
        program.append(ProgramPhase(phase.name, phase.state, phase.duration_s))
        yellow = ProgramPhase(YELLOW, signal.yellow_state(now, following), signal.yellow_s)
        all_red = ProgramPhase(ALL_RED, signal.all_red_state(now, following), signal.all_red_s)
        program += [part for part in (yellow, all_red) if part.duration_s > 0]
    return tuple(program)


def _state(links: Sequence[SignalLink], group: Sequence[int]) -> str:
    """G for the links of the group, g for those that yield to another of it, r for the rest."""
    letters = ["r"] * len(links)
    for index in group:
        yields = any(_gives_way(links, index, other) for other in group if other != index)
        letters[index] = "g" if yields else "G"
    return "".join(letters)


def _gives_way(links: Sequence[SignalLink], index: int, other: int) -> bool:
    mine, its = links[index], links[other]
    if not (mine.crosses(its) or its.crosses(mine)):
        return False
    if mine.yields_to(its) != its.yields_to(mine):
        return mine.yields_to(its)
    return index > other
