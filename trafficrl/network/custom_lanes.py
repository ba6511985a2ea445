"""Lanes given by hand for single streets of a generated city, checked against its grid."""

from collections.abc import Mapping
from dataclasses import replace

from trafficrl.config.checks import check_range
from trafficrl.config.custom_lanes import MOST_LANES, CustomLanes, parse_custom_lanes
from trafficrl.errors import NetworkError, unknown_name
from trafficrl.network.grid import GridStreet
from trafficrl.network.street_plan import CityPlan

__all__ = ["customise"]

FIELD = "network.custom_lanes"
MOST_NAMED = 40
"""More choices than this make no readable line."""


def customise(plan: CityPlan) -> CityPlan:
    """The plan with the lanes and dead ends of `custom_lanes`; the same plan where there are none.

    Raises:
        NetworkError: an unknown street or target, more turn lanes than lanes to receive them, or
            dead ends that leave no way between two streets.
        ConfigError: fewer lanes than the signal strategy needs.
    """
    entries = parse_custom_lanes(plan.config.custom_lanes, key=FIELD)
    if not entries:
        return plan
    for entry in entries:
        _check_known(f"{entry.where}: a street", entry.street, plan.exits)
        if entry.tail is not None:
            least = plan.config.least_lanes
            check_range(f"{entry.where}: lanes of the tail", entry.tail, least, MOST_LANES)
    tails = {entry.street: entry.tail for entry in entries if entry.tail is not None}
    custom = replace(
        plan,
        lanes={**plan.lanes, **tails},
        fixed_heads={entry.street: _turns(entry, plan) for entry in entries},
        dead_ends=frozenset(entry.street for entry in entries if entry.dead_end),
    )
    for entry in entries:
        _check_received(entry, custom.lanes)
    _check_connected(custom)
    return custom


def _turns(entry: CustomLanes, plan: CityPlan) -> dict[str, int]:
    """Direction -> lanes, for the next streets that an entry names."""
    letters = {following.id: letter for letter, following in plan.exits[entry.street].items()}
    for target in entry.heads:
        _check_known(f"{entry.where}: a street after {entry.street}", target, letters)
    return {letters[target]: lanes for target, lanes in entry.heads.items()}


def _check_known(where: str, street: str, streets: Mapping[str, object]) -> None:
    if street in streets:
        return
    if len(streets) > MOST_NAMED:
        raise NetworkError(
            f"{where}: unknown {street!r}: a street is named by its two junctions, such as "
            f"{next(iter(streets))}"
        )
    raise NetworkError(unknown_name(where, street, streets))


def _check_received(entry: CustomLanes, lanes: Mapping[str, int]) -> None:
    for target, count in entry.heads.items():
        if count > lanes[target]:
            raise NetworkError(
                f"{entry.where}: {count} lanes cannot lead into {target}, which has "
                f"{lanes[target]}: give {target} more with {target}=tail:{count}"
            )


def _check_connected(plan: CityPlan) -> None:
    """Each street can be reached from the first one, and the first one from each."""
    onward = {street: list(exits.values()) for street, exits in plan.exits.items()}
    back: dict[str, list[GridStreet]] = {street.id: [] for street in plan.grid.streets}
    for street in plan.grid.streets:
        for following in onward[street.id]:
            back[following.id].append(street)
    first = plan.grid.streets[0].id
    reached, reaching = _reached(first, onward), _reached(first, back)
    for name in onward:
        if name not in reached or name not in reaching:
            start, end = (name, first) if name in reached else (first, name)
            raise NetworkError(
                f"{FIELD}: the dead ends {', '.join(sorted(plan.dead_ends))} leave no way from "
                f"{start} to {end}"
            )


def _reached(first: str, ways: Mapping[str, list[GridStreet]]) -> set[str]:
    reached, waiting = {first}, [first]
    while waiting:
        for street in ways[waiting.pop()]:
            if street.id not in reached:
                reached.add(street.id)
                waiting.append(street.id)
    return reached
