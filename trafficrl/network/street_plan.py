"""A city on paper: where its streets lead, how wide they are, which junctions have a signal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from trafficrl.config.network import GridConfig, Strategy
from trafficrl.network.grid import Grid, GridStreet
from trafficrl.network.strategies import Movement, group_movements
from trafficrl.network.turn_lanes import plan_head

__all__ = ["CityPlan", "head_id"]

AXIS = {True: "NS", False: "EW"}
TURNS = {"r": "right", "s": "straight", "l": "left", "t": "u-turn"}


def head_id(street: str) -> str:
    """Id of the head edge of a street, and of the node where it begins."""
    return f"{street}_H"


@dataclass(frozen=True)
class CityPlan:
    """A grid and how wide its streets are: all that the roads follow from."""

    grid: Grid
    lanes: Mapping[str, int]
    """Street id -> lanes of its tail."""
    config: GridConfig
    fixed_heads: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Street id -> direction -> lanes at the stop line, where they are given by hand."""
    dead_ends: frozenset[str] = frozenset()
    """Streets whose only way on is back."""

    def stop_edge(self, street: str) -> str:
        """Id of the edge that ends at the stop line of a street."""
        return head_id(street) if self.config.turn_lanes else street

    @cached_property
    def exits(self) -> dict[str, dict[str, GridStreet]]:
        """Street id -> direction -> the street that follows."""
        return {
            street.id: {
                letter: following
                for letter, following in self.grid.exits(street).items()
                if letter == "t" or street.id not in self.dead_ends
            }
            for street in self.grid.streets
        }

    @cached_property
    def stop_lanes(self) -> dict[str, tuple[str, ...]]:
        """Street id -> directions of each lane at its stop line, from right to left."""
        if not self.config.turn_lanes:
            return {street: ("".join(exits),) for street, exits in self.exits.items()}
        return {
            street: plan_head(
                self.lanes[street],
                {letter: self.lanes[following.id] for letter, following in exits.items()},
                fixed=self.fixed_heads.get(street),
            )
            for street, exits in self.exits.items()
        }

    @cached_property
    def entering(self) -> dict[str, set[str]]:
        """Street id -> directions in which other streets enter it."""
        found: dict[str, set[str]] = {street.id: set() for street in self.grid.streets}
        for exits in self.exits.values():
            for letter, following in exits.items():
                found[following.id].add(letter)
        return found

    @cached_property
    def signalised(self) -> frozenset[str]:
        """Junctions where the strategy has two phases or more; elsewhere right of way will do."""
        movements: dict[str, list[Movement]] = {}
        for street in self.grid.streets:
            axis = AXIS[street.heading[0] == 0]
            movements.setdefault(street.end.id, []).extend(
                Movement(street.id, axis, TURNS[letter]) for letter in self.exits[street.id]
            )
        strategy: Strategy = self.config.traffic_light_strategy
        return frozenset(
            junction
            for junction, ways in movements.items()
            if len(group_movements(ways, strategy)) > 1
        )
