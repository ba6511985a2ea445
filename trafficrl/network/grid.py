"""The street grid of a generated city: which junctions stand, and which streets join them.

A junction is named by its column letter (along x) and its row number (along y): A0 lies at (0, 0),
B0 one block east of it, A1 one block north. A street is named by its two junctions: A0A1.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from trafficrl.config.network import GridConfig
from trafficrl.errors import NetworkError, unknown_name
from trafficrl.network.model import Junction

__all__ = ["Grid", "GridStreet", "build_grid"]

REMOVE_FIELD = "network.junctions_to_remove"
HEADINGS = ((0, 1), (1, 0), (0, -1), (-1, 0))
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class GridStreet:
    """The one-way way from one junction to a neighbouring one."""

    id: str
    start: Junction
    end: Junction
    heading: Place
    """Unit vector east, north."""
    boundary: bool
    """Both ends lie on the border of the grid as it was before any junction was removed."""


@dataclass(frozen=True)
class Grid:
    """Junctions and streets that remain, in the order of their columns and rows."""

    junctions: tuple[Junction, ...]
    streets: tuple[GridStreet, ...]

    @cached_property
    def streets_from(self) -> dict[str, tuple[GridStreet, ...]]:
        """Junction id -> the streets that leave it."""
        return {
            junction.id: tuple(s for s in self.streets if s.start.id == junction.id)
            for junction in self.junctions
        }

    def exits(self, street: GridStreet) -> dict[str, GridStreet]:
        """What follows a street: SUMO's direction letter (r, s, l, t) -> street."""
        following = self.streets_from[street.end.id]
        found = {turn_direction(street.heading, after.heading): after for after in following}
        return {letter: found[letter] for letter in "rslt" if letter in found}


def turn_direction(heading: Place, after: Place) -> str:
    """SUMO's letter for the turn from one heading to the next: r, s, l or t (u-turn)."""
    cross = heading[0] * after[1] - heading[1] * after[0]
    if cross:
        return "l" if cross > 0 else "r"
    return "s" if heading == after else "t"


def build_grid(config: GridConfig) -> Grid:
    """The connected grid without the junctions that the configuration removes.

    Raises:
        NetworkError: an unknown or repeated junction, or a remainder that is empty or falls apart.
    """
    places = {
        f"{chr(ord('A') + column)}{row}": (column, row)
        for column in range(config.grid_dimension)
        for row in range(config.grid_dimension)
    }
    removed = removed_junctions(config, list(places))
    left = {name: place for name, place in places.items() if name not in removed}
    junctions = {
        place: Junction(name, place[0] * config.block_size_m, place[1] * config.block_size_m)
        for name, place in left.items()
    }
    grid = Grid(tuple(junctions.values()), _streets(junctions, config.grid_dimension))
    _check_connected(grid, removed)
    return grid


def removed_junctions(config: GridConfig, names: Sequence[str]) -> tuple[str, ...]:
    """The ids to remove: those given, or as many as asked, drawn with the network's seed.

    The draw is that of the published generator, so that its networks can be had again.

    Raises:
        NetworkError: an id that the grid does not have, or one given twice, or too many.
    """
    asked = config.junctions_to_remove
    if isinstance(asked, str) and not asked.strip().isdigit():
        return _given_junctions(asked, names)
    count = int(asked)
    if count > len(names) - 2:
        raise NetworkError(
            f"{REMOVE_FIELD} must leave two junctions of {len(names)}, got {count}: remove fewer"
        )
    return tuple(random.Random(config.network_seed).sample(names, count))


def _given_junctions(asked: str, names: Sequence[str]) -> tuple[str, ...]:
    given = [name.strip() for name in asked.split(",")]
    for name in given:
        if name not in names:
            where = f"{REMOVE_FIELD} {asked!r}"
            if len(names) > 36:
                raise NetworkError(
                    f"{where}: unknown junction {name!r}; choices: {names[0]} to {names[-1]}, "
                    "separated by commas"
                )
            raise NetworkError(unknown_name(where, name, names))
        if given.count(name) > 1:
            raise NetworkError(f"{REMOVE_FIELD} {asked!r}: {name!r} is given twice: name it once")
    return tuple(given)


def _streets(junctions: Mapping[Place, Junction], dimension: int) -> tuple[GridStreet, ...]:
    border = {0, dimension - 1}
    streets = []
    for (column, row), start in junctions.items():
        for heading in HEADINGS:
            place = (column + heading[0], row + heading[1])
            if place in junctions:
                end = junctions[place]
                boundary = all(not border.isdisjoint(ends) for ends in ((column, row), place))
                streets.append(GridStreet(start.id + end.id, start, end, heading, boundary))
    return tuple(streets)


def _check_connected(grid: Grid, removed: Sequence[str]) -> None:
    where = f"{REMOVE_FIELD}: without {', '.join(sorted(removed))}"
    if len(grid.junctions) < 2:
        raise NetworkError(f"{where} fewer than two junctions remain: remove fewer")
    first = grid.junctions[0].id
    reached, waiting = {first}, [first]
    while waiting:
        for street in grid.streets_from[waiting.pop()]:
            if street.end.id not in reached:
                reached.add(street.end.id)
                waiting.append(street.end.id)
    cut_off = [junction.id for junction in grid.junctions if junction.id not in reached]
    if cut_off:
        raise NetworkError(
            f"{where} the grid falls apart ({cut_off[0]} cannot be reached from {first}): "
            "remove other junctions or choose another network.network_seed"
        )
