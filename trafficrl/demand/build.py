"""A scenario from its configuration: trips drawn and routes found, or files that were given."""

import re
from copy import deepcopy
from pathlib import Path

from trafficrl.config.scenarios import (
    GeneratedScenarioConfig,
    RouteFileScenarioConfig,
    ScenarioConfig,
)
from trafficrl.demand.insertion import insertion_xml
from trafficrl.demand.origins_destinations import build_street_pairs
from trafficrl.demand.road_graph import build_road_graph
from trafficrl.demand.routexml import RouteWriter, save_routes
from trafficrl.demand.routing import RoadMap
from trafficrl.demand.scenario import DemandSeeds, Scenario
from trafficrl.demand.stops import StopPlanner
from trafficrl.demand.trips import generate_trips
from trafficrl.errors import DemandError
from trafficrl.network.model import Network

__all__ = ["build_scenario", "keep_demand"]

Drawn = tuple[str, int]
"""Text of a route file, and how many vehicles depart while an episode lasts."""
# The last demand of each scenario, with all that decides it.
_kept: dict[str, tuple[tuple[object, ...], Network, Drawn]] = {}


def build_scenario(
    name: str,
    config: ScenarioConfig,
    network: Network,
    *,
    seeds: DemandSeeds | None,
    end_s: float,
    folder: Path,
) -> Scenario:
    """The scenario is ready to run: its route file lies in the folder, complete, or was given.

    A file is written anew each time and depends on the arguments alone; where they are those of the
    time before, it is not drawn again.

    Args:
        name: of the scenario; also begins the file's name.
        config: what drives.
        network: where it drives.
        seeds: draw the trips; None takes the two fixed seeds of the configuration. Files that were
            given hold the same trips for all seeds.
        end_s: how long an episode lasts [s]; the last vehicle departs before.
        folder: where the route file goes.

    Raises:
        DemandError: no trip fits a route pattern, the departure pattern does not fit the episode,
            no vehicle can enter as asked, or the file cannot be written.
    """
    if isinstance(config, RouteFileScenarioConfig):
        return Scenario(
            name=name,
            net_file=network.net_file,
            route_files=tuple(map(Path, config.file)),
            additional_files=tuple(map(Path, config.additional)),
            begin_s=config.begin_s,
            end_s=config.begin_s + end_s,
        )
    assert isinstance(config, GeneratedScenarioConfig), f"no demand of kind {config.kind}"
    return _generate(name, config, network, seeds=seeds, end_s=end_s, folder=folder)


def keep_demand(
    name: str,
    config: ScenarioConfig,
    network: Network,
    *,
    seeds: DemandSeeds | None,
    end_s: float,
) -> None:
    """The next `build_scenario` with these arguments, here or in a fork, has only to write.

    Raises:
        DemandError: as `build_scenario`, but for the file.
    """
    if isinstance(config, GeneratedScenarioConfig):
        _draw(name, config, network, _seeds(config, seeds), end_s)


def _seeds(config: GeneratedScenarioConfig, seeds: DemandSeeds | None) -> DemandSeeds:
    return seeds or DemandSeeds(config.private_traffic_seed, config.public_traffic_seed)


def _draw(
    name: str,
    config: GeneratedScenarioConfig,
    network: Network,
    seeds: DemandSeeds,
    end_s: float,
) -> Drawn:
    """The demand, from the time before if all that decides it is the same."""
    deciding = (config, seeds, end_s)
    if name in _kept:
        before, where, drawn = _kept[name]
        if where is network and before == deciding:
            return drawn
    try:
        drawn = _build_demand(config, network, seeds, end_s)
    except DemandError as error:
        raise DemandError(f"scenarios.{name}: {error}") from error
    # A configuration can be changed; what was drawn is that of now.
    _kept[name] = deepcopy(deciding), network, drawn
    return drawn


def _generate(
    name: str,
    config: GeneratedScenarioConfig,
    network: Network,
    *,
    seeds: DemandSeeds | None,
    end_s: float,
    folder: Path,
) -> Scenario:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise DemandError(
            f"scenarios.{name}: {name!r} cannot begin a file's name; use letters, digits, _ . -"
        )
    seeds = _seeds(config, seeds)
    route_file = folder / f"{name}-{seeds.private}-{seeds.public}.rou.xml"
    text, num_scheduled = _draw(name, config, network, seeds, end_s)
    save_routes(route_file, text)
    return Scenario(
        name=name,
        net_file=network.net_file,
        route_files=(route_file,),
        begin_s=0.0,
        end_s=end_s,
        num_scheduled=num_scheduled,
    )


def _build_demand(
    config: GeneratedScenarioConfig, network: Network, seeds: DemandSeeds, end_s: float
) -> Drawn:
    insertion = insertion_xml(config, network)
    graph = build_road_graph(network)
    pairs = build_street_pairs(network, graph)
    trips = generate_trips(config, pairs, seeds, end_s=end_s)
    writer = RouteWriter(
        roads=RoadMap(network, graph),
        stops=StopPlanner(network, config.public_stop_spacing_m),
        dwell_s=config.public_dwell_s,
        insertion=insertion,
    )
    return writer.text(trips), int((trips.depart_s < end_s).sum())
