"""Legacy keys of the city and of those who drive in it."""

from pathlib import Path
from typing import Any

from trafficrl.config.custom_lanes import load_custom_lanes, parse_custom_lanes
from trafficrl.config.legacy.keys import LegacyKey, Moved, Run
from trafficrl.config.legacy.values import (
    lane_count,
    number,
    one_of,
    removed,
    shares,
    text,
    whole,
)
from trafficrl.errors import ConfigError

__all__ = ["NETWORK_KEYS", "SEEDS", "TRAFFIC_KEYS"]

SEEDS = ("network_seed", "private_traffic_seed", "public_traffic_seed")
"""What `seed` overrules."""
CONTROLLERS = {
    "tree_method": "tree_method_predecessor",
    "actuated": "actuated",
    "fixed": "fixed",
}
"""`traffic_control` -> who does the same here."""


def _all_seeds(value: int, run: Run) -> Moved:
    return Moved(
        {
            "network.network_seed": value,
            "scenarios.*.private_traffic_seed": value,
            "scenarios.*.public_traffic_seed": value,
        }
    )


def _entries(value: Any) -> str:
    """Entries of lanes in one line."""
    lines = [line.partition("#")[0].strip(" ;") for line in str(value).splitlines()]
    return text(";".join(line for line in lines if line))


def _lanes(value: str, run: Run) -> Moved:
    try:
        parse_custom_lanes(value, key="custom_lanes")
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return Moved({"network.custom_lanes": value})


def _lanes_of_file(value: str, run: Run) -> Moved:
    """The earlier program looked beside where it was started; what it found may lie elsewhere."""
    places = [folder / value for folder in (run.folder, Path.cwd())]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise ValueError(f"there is no file {value!r} (looked in {run.folder.resolve()})")
    try:
        content = load_custom_lanes(str(found), key="custom_lanes_file")
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return Moved({"network.custom_lanes": _entries(content)})


def _control(value: str, run: Run) -> Moved:
    if value == "rl":
        return Moved(why="a training has no other")
    if value in CONTROLLERS:
        return Moved(why=f"judge it with trafficrl-evaluate: controllers=[{CONTROLLERS[value]}]")
    return Moved(why="there is no such controller here, and no published result of it")


NETWORK_KEYS = (
    LegacyKey(name="network_seed", reads=whole, to="network.network_seed"),
    LegacyKey(name="grid_dimension", reads=whole, to="network.grid_dimension", default=5),
    LegacyKey(name="block_size_m", reads=number, to="network.block_size_m", default=200.0),
    LegacyKey(
        name="junctions_to_remove", reads=removed, to="network.junctions_to_remove", default=0
    ),
    LegacyKey(name="lane_count", reads=lane_count, to="network.lane_count", default="realistic"),
    LegacyKey(name="custom_lanes", reads=_entries, to="network.custom_lanes", moves=_lanes),
    LegacyKey(
        name="custom_lanes_file",
        reads=text,
        to="network.custom_lanes",
        why="the file's entries themselves, so that it is not needed again",
        moves=_lanes_of_file,
    ),
    LegacyKey(
        name="traffic_light_strategy",
        reads=text,
        to="network.traffic_light_strategy",
        why="opposites and incoming are the plans that they were meant to be",
        concerns=("opposites", "incoming"),
        default="partial_opposites",
    ),
    LegacyKey(name="step_length", reads=number, to="network.step_length", default=1.0),
    LegacyKey(
        name="land_use_block_size_m",
        reads=number,
        to="network.land_use_block_size_m",
        default=25.0,
    ),
    LegacyKey(
        name="attractiveness",
        reads=text,
        to="network.attractiveness",
        why="poisson and iac draw the same in every process now",
        concerns=("poisson", "iac"),
        default="land_use",
    ),
    LegacyKey(
        name="seed",
        reads=whole,
        to="network.network_seed and both traffic seeds",
        why="stands for all three, as it did",
        moves=_all_seeds,
    ),
)

TRAFFIC_KEYS = (
    LegacyKey(name="num_vehicles", reads=whole, to="scenarios.*.num_vehicles", default=300),
    LegacyKey(
        name="vehicle_types",
        reads=shares,
        to="scenarios.*.vehicle_types",
        default="passenger 90 public 10",
    ),
    LegacyKey(
        name="passenger_routes",
        reads=shares,
        to="scenarios.*.passenger_routes",
        default="in 30 out 30 inner 25 pass 15",
    ),
    LegacyKey(
        name="public_routes",
        reads=shares,
        to="scenarios.*.public_routes",
        default="in 25 out 25 inner 35 pass 15",
    ),
    LegacyKey(
        name="routing_strategy",
        reads=shares,
        to="scenarios.*.routing_strategy",
        why="fastest and attractiveness look for a better way while they drive, as was meant",
        concerns=("fastest", "attractiveness"),
        default="shortest 100",
    ),
    LegacyKey(
        name="departure_pattern",
        reads=text,
        to="scenarios.*.departure_pattern",
        default="uniform",
    ),
    LegacyKey(name="start_time_hour", reads=number, to="scenarios.*.start_time_hour", default=0.0),
    LegacyKey(
        name="private_traffic_seed",
        reads=whole,
        to="scenarios.*.private_traffic_seed",
        also=("private_seed",),
    ),
    LegacyKey(
        name="public_traffic_seed",
        reads=whole,
        to="scenarios.*.public_traffic_seed",
        also=("public_seed",),
    ),
    LegacyKey(
        name="traffic_control",
        reads=one_of("rl", *CONTROLLERS, "atlcs"),
        why="who controls is said by the command: trafficrl-train trains, trafficrl-evaluate "
        "judges controllers=[...]",
        moves=_control,
    ),
    LegacyKey(
        name="tree_method_interval",
        reads=number,
        to="controller.tree_method_predecessor.interval_s",
    ),
    LegacyKey(
        name="atlcs_interval",
        reads=text,
        why="there is no such controller here, and no published result of it",
    ),
)
