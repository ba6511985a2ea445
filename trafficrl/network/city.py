"""A city from its seed: grid, land use, lanes, roads, signal plans, what draws trips to streets."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from trafficrl.config.network import GridConfig
from trafficrl.errors import NetworkError
from trafficrl.network.attractiveness import generate_attraction
from trafficrl.network.custom_lanes import customise
from trafficrl.network.grid import build_grid
from trafficrl.network.lane_counts import generate_lane_counts
from trafficrl.network.model import Street
from trafficrl.network.netconvert import run_netconvert
from trafficrl.network.netxml import ParsedNet, load_net, save_programs
from trafficrl.network.phase_plans import build_program, build_signal, links_by_signal
from trafficrl.network.plainxml import save_plain
from trafficrl.network.sidecar import Clearance, Extras
from trafficrl.network.signals import Signal
from trafficrl.network.street_plan import CityPlan
from trafficrl.network.zones import Zones, generate_zones

__all__ = ["generate_city"]

PLAIN_OPTIONS = ("--offset.disable-normalization=true", "--no-turnarounds=true")
"""The plain files say all: where everything lies, and which turns there are."""
SHORTEST_EDGE_M = 7.5
"""A vehicle of 5 m and its gap of 2.5 m (SUMO's default)."""


def generate_city(config: GridConfig, net_file: Path) -> Extras:
    """Write the net file of a city; what it does not hold is returned.

    Plain and raw files of netconvert stay beside it.

    Raises:
        NetworkError: a city that cannot be, or netconvert failed.
        ConfigError: a cycle too short for its phases.
    """
    grid = build_grid(config)
    zones = generate_zones(grid.junctions, config.land_use_block_size_m, seed=config.network_seed)
    plan = customise(CityPlan(grid, generate_lane_counts(config, grid, zones), config))
    raw = net_file.with_name("raw.net.xml")
    net = _convert(plan, raw)
    _check_lengths(plan, net)
    signals = _signals(plan, net)
    programs = {signal.id: build_program(signal) for signal in signals}
    save_programs(raw, net_file, programs, plan.turns)
    clearance = Clearance.of(config.signals)
    phases = {signal.id: signal.phases for signal in signals}
    return Extras(clearance, _streets(plan, zones), zones.cells(), phases)


def _convert(plan: CityPlan, raw: Path) -> ParsedNet:
    run_netconvert(save_plain(plan, raw.parent), raw, PLAIN_OPTIONS)
    return load_net(raw).turning(plan.turns)


def _check_lengths(plan: CityPlan, net: ParsedNet) -> None:
    shortest = min(net.edges, key=lambda edge: edge.length_m)
    if shortest.length_m < SHORTEST_EDGE_M:
        raise NetworkError(
            f"network.block_size_m {plan.config.block_size_m:g} [m] leaves {shortest.length_m:g} m "
            f"of edge {shortest.id!r} between its junctions, less than one vehicle "
            f"({SHORTEST_EDGE_M:g} m): these lanes need blocks of {_least_block_m(plan):g} m or "
            "more; choose larger blocks or a smaller network.lane_count"
        )


def _least_block_m(plan: CityPlan) -> float:
    """The next whole 5 m of block that the lanes of a plan fit in, found by building them."""
    block_m = plan.config.block_size_m // 5 * 5
    shortest_m = 0.0
    while shortest_m < SHORTEST_EDGE_M:
        block_m += 5
        config = replace(plan.config, block_size_m=block_m)
        wider = replace(plan, config=config, grid=build_grid(config))
        with TemporaryDirectory() as folder:
            net = _convert(wider, Path(folder) / "raw.net.xml")
        shortest_m = min(edge.length_m for edge in net.edges)
    return block_m


def _signals(plan: CityPlan, net: ParsedNet) -> list[Signal]:
    config = plan.config
    street_of = {head.id: street for street, heads in plan.heads.items() for head in heads}
    return [
        build_signal(
            name,
            links,
            config.traffic_light_strategy,
            config=config.signals,
            step_s=config.step_length,
        )
        for name, links in links_by_signal(net, street_of).items()
    ]


def _streets(plan: CityPlan, zones: Zones) -> tuple[Street, ...]:
    streets = []
    for street in plan.grid.streets:
        drawn = generate_attraction(street, plan.config, zones)
        ends = {"from_junction": street.start.id, "to_junction": street.end.id}
        streets.append(
            Street(
                tail=street.id,
                heads=tuple(head.id for head in plan.heads[street.id]),
                **ends,
                boundary=street.boundary,
                depart_weight=drawn.depart,
                arrive_weight=drawn.arrive,
            )
        )
    return tuple(streets)
