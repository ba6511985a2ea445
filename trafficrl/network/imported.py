"""Networks that somebody else made: a .net.xml as it is, or an OpenStreetMap extract."""

from collections import Counter, defaultdict
from pathlib import Path

from trafficrl.config.network import NetFileConfig, OsmConfig
from trafficrl.errors import NetworkError
from trafficrl.network.model import DAY_PHASES, Edge, Street
from trafficrl.network.netconvert import run_netconvert
from trafficrl.network.netxml import ParsedNet, ProgramPhase, load_net, save_programs
from trafficrl.network.own_plans import greens_of_plan
from trafficrl.network.sidecar import Clearance, Extras
from trafficrl.xmlfiles import XMLFileError, unpack_xml

__all__ = ["convert_osm", "import_net"]

SHORTEST_STREET_M = 20.0
"""Trips of generated demand begin and end where a bus finds room."""
OSM_OPTIONS = (
    "--keep-edges.by-vclass=passenger,bus",
    "--remove-edges.isolated=true",
    "--geometry.remove=true",
    "--roundabouts.guess=true",
    "--ramps.guess=true",
    "--no-turnarounds.except-deadend=true",
    # One junction of OpenStreetMap is many nodes, and its signal often stands before it.
    "--junctions.join=true",
    "--tls.join=true",
    "--tls.guess-signals=true",
    "--tls.discard-simple=true",
    "--tls.default-type=static",
)
"""As SUMO's own documentation of imports from OpenStreetMap advises."""


def import_net(config: NetFileConfig, net_file: Path) -> Extras:
    """Net_file is the given network, byte for byte but unpacked; its own plans stay.

    Raises:
        NetworkError: the file is missing, damaged or refused, or its signals do not fit its links.
    """
    try:
        unpack_xml(Path(config.file), net_file)
    except XMLFileError as error:
        raise NetworkError(f"network.file {error}") from error
    net = load_net(net_file, name=f"network.file {config.file}")
    return _extras(net, Clearance.of(config.signals), config.file)


def convert_osm(config: OsmConfig, net_file: Path) -> Extras:
    """Net_file is what SUMO's netconvert makes of a map.

    Signals are those of the map; with `guess_signals` also those that large junctions would have.

    Raises:
        NetworkError: the file is missing, damaged or refused, or there is no signal in it.
    """
    osm, raw = net_file.with_name("map.osm.xml"), net_file.with_name("raw.net.xml")
    try:
        unpack_xml(Path(config.file), osm)
    except XMLFileError as error:
        raise NetworkError(f"network.file {error}") from error
    signals = config.signals
    options = (
        *OSM_OPTIONS,
        f"--tls.guess={str(config.guess_signals).lower()}",
        f"--tls.cycle.time={signals.cycle_s:g}",
        f"--tls.yellow.time={signals.yellow_s:g}",
        f"--tls.allred.time={signals.all_red_s:g}",
    )
    try:
        run_netconvert({"osm-files": osm}, raw, options)
    except NetworkError as error:
        raise NetworkError(f"network.file {config.file}: {error}") from error
    save_programs(raw, net_file, {})
    net = load_net(net_file, name=f"what netconvert made of network.file {config.file}")
    extras = _extras(net, Clearance.of(signals), config.file)
    if not extras.phases:
        other = "" if config.guess_signals else ", or network.guess_signals=true"
        raise NetworkError(
            f"network.file {config.file} has no signal that could be controlled among its "
            f"{len(net.junctions)} junctions: take another map{other}"
        )
    return extras


def _extras(net: ParsedNet, clearance: Clearance, file: str) -> Extras:
    links = _links_by_signal(net)
    phases = {
        name: greens_of_plan(_checked(program, name, links[name], file))
        for name, program in sorted(net.programs.items())
        if name in links
    }
    # A signal with one green (a crossing for people on foot) has nothing to choose from: it
    # follows its plan whoever controls the others.
    chosen = {name: greens for name, greens in phases.items() if len(greens) > 1}
    return Extras(clearance, _streets(net), (), chosen)


def _links_by_signal(net: ParsedNet) -> dict[str, int]:
    """Signal id -> its highest link index."""
    links: dict[str, int] = defaultdict(int)
    for connection in net.connections:
        if connection.signal_id is not None:
            highest = max(links[connection.signal_id], connection.link_index)
            links[connection.signal_id] = highest
    return links


def _checked(
    program: tuple[ProgramPhase, ...], signal: str, highest: int, file: str
) -> tuple[ProgramPhase, ...]:
    lengths = sorted({len(part.state) for part in program})
    if len(lengths) != 1 or lengths[0] <= highest:
        raise NetworkError(
            f"network.file {file}: the plan of signal {signal!r} has states of {lengths} letters "
            f"for links 0 to {highest}"
        )
    return program


def _streets(net: ParsedNet) -> tuple[Street, ...]:
    """Every edge that is long enough and open to cars and buses, drawing trips by its length."""
    ways_in: Counter[str] = Counter()
    ways_out: Counter[str] = Counter()
    edge_of_lane = {lane.id: edge.id for edge in net.edges for lane in edge.lanes}
    for link in net.connections:
        if link.direction != "t":  # turning back at a dead end leads to no other place
            ways_out[edge_of_lane[link.from_lane]] += 1
            ways_in[edge_of_lane[link.to_lane]] += 1
    return tuple(
        Street(
            tail=edge.id,
            heads=(edge.id,),
            from_junction=edge.from_node,
            to_junction=edge.to_node,
            boundary=not (ways_in[edge.id] and ways_out[edge.id]),
            # Who leaves the network does not turn back where it ends, nor comes from there.
            depart_weight=_weights(edge if ways_out[edge.id] else None),
            arrive_weight=_weights(edge if ways_in[edge.id] else None),
        )
        for edge in net.edges
        if edge.length_m >= SHORTEST_STREET_M and any(lane.open_to_all for lane in edge.lanes)
    )


def _weights(edge: Edge | None) -> tuple[float, ...]:
    return (edge.length_m / 100.0 if edge else 0.0,) * len(DAY_PHASES)
