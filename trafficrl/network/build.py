"""From configuration to network: generated once, kept by the hash of all that decides it.

The two files of a network lie together in one folder: the net file that SUMO reads, and a sidecar
with streets, land use and clearance. Both follow from the configuration alone, byte for byte.
"""

import json
import logging
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, replace
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any

from trafficrl.config.network import GridConfig, NetFileConfig, NetworkConfig, OsmConfig
from trafficrl.errors import NetworkError, unknown_name
from trafficrl.network.city import generate_city
from trafficrl.network.imported import convert_osm, import_net
from trafficrl.network.model import Network
from trafficrl.network.netconvert import sumo_version
from trafficrl.network.netxml import ParsedNet, load_net
from trafficrl.network.sidecar import Extras, load_sidecar, save_sidecar
from trafficrl.network.signals import Signal

__all__ = ["NET_FILE", "SIDECAR_FILE", "build_network", "load_network", "save_network"]

GENERATOR_VERSION = 5
"""Raise it with every change that gives another network from the same configuration."""
NET_FILE = "network.net.xml"
SIDECAR_FILE = "network.json"
FILES = (NET_FILE, SIDECAR_FILE)

log = logging.getLogger(__name__)


def build_network(config: NetworkConfig, cache_dir: Path) -> Network:
    """The network of a configuration, from cache_dir if it has been built before.

    Any number of processes may ask at once: each one that finds no sound entry builds its own and
    moves it in place, file by file, the sidecar last; as all build the same bytes, no reader ever
    sees a mixture.

    Raises:
        NetworkError: a network that cannot be, netconvert failed, or the cache cannot be written.
        ConfigError: a cycle too short for its phases.
    """
    folder = cache_dir / "networks" / _cache_key(config)
    if folder.is_dir():
        try:
            return load_network(folder)
        except NetworkError as error:
            log.warning("building a damaged network of the cache again: %s", error)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as scratch:
            _generate(config, Path(scratch))
            _move_files(Path(scratch), folder)
    except OSError as error:
        raise NetworkError(f"network cache {folder} cannot be written: {error}") from error
    return load_network(folder)


def load_network(folder: Path) -> Network:
    """The network whose two files lie in folder.

    Raises:
        NetworkError: a file is missing or damaged, or the net file was changed by hand.
    """
    net_file = folder / NET_FILE
    extras, expected = load_sidecar(folder / SIDECAR_FILE)
    net = load_net(net_file)
    found = _file_hash(net_file)
    if found != expected:
        raise NetworkError(
            f"network file {net_file} is not the one that {SIDECAR_FILE} belongs to "
            f"(SHA-256 {found[:12]}, expected {expected[:12]}): generate the network again"
        )
    ends = ((street.from_junction, street.to_junction) for street in extras.streets)
    names = {name for pair in ends for name in pair}
    return Network(
        net_file=net_file,
        hash=sha256(f"{found} {_file_hash(folder / SIDECAR_FILE)}".encode()).hexdigest(),
        junctions=tuple(junction for junction in net.junctions if junction.id in names),
        edges=net.edges,
        connections=net.connections,
        signals=_signals(net, extras),
        streets=extras.streets,
        land_use=extras.land_use,
    )


def save_network(network: Network, folder: Path) -> Network:
    """Copy both files into folder; the same network, read from there from now on.

    Raises:
        NetworkError: the files cannot be read or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".copying-", dir=folder) as scratch:
            for name in FILES:
                shutil.copyfile(network.net_file.with_name(name), Path(scratch) / name)
            _move_files(Path(scratch), folder)
    except OSError as error:
        raise NetworkError(f"network cannot be saved in {folder}: {error}") from error
    return replace(network, net_file=folder / NET_FILE)


def _generate(config: NetworkConfig, folder: Path) -> None:
    if config.kind not in _GENERATORS:
        raise NetworkError(unknown_name("network.kind", config.kind, _GENERATORS))
    net_file = folder / NET_FILE
    extras = _GENERATORS[config.kind](config, net_file)
    save_sidecar(extras, folder / SIDECAR_FILE, net_hash=_file_hash(net_file))


def _generate_grid(config: NetworkConfig, net_file: Path) -> Extras:
    assert isinstance(config, GridConfig)
    return generate_city(config, net_file)


def _import_net(config: NetworkConfig, net_file: Path) -> Extras:
    assert isinstance(config, NetFileConfig)
    return import_net(config, net_file)


def _convert_osm(config: NetworkConfig, net_file: Path) -> Extras:
    assert isinstance(config, OsmConfig)
    return convert_osm(config, net_file)


_GENERATORS: dict[str, Callable[[NetworkConfig, Path], Extras]] = {
    "grid": _generate_grid,
    "net_file": _import_net,
    "osm": _convert_osm,
}


def _move_files(source: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in FILES:
        (source / name).replace(folder / name)


def _signals(net: ParsedNet, extras: Extras) -> tuple[Signal, ...]:
    """The signals that a controller decides for, by id."""
    from_lanes: dict[tuple[str | None, int], list[str]] = defaultdict(list)
    to_lanes: dict[tuple[str | None, int], list[str]] = defaultdict(list)
    inner: dict[tuple[str | None, int], list[str]] = defaultdict(list)
    for connection in net.connections:
        link = (connection.signal_id, connection.link_index)
        from_lanes[link].append(connection.from_lane)
        to_lanes[link].append(connection.to_lane)
        if connection.inner_edge is not None:
            inner[link].append(connection.inner_edge)
    signals = []
    for name, phases in sorted(extras.phases.items()):
        num_links = len(net.programs[name][0].state) if net.programs.get(name) else 0
        if any(len(phase.state) != num_links for phase in phases):
            raise NetworkError(
                f"the net file has no program of {len(phases[0].state)} links for signal {name!r}"
            )
        links = [(name, index) for index in range(num_links)]
        parts = (from_lanes, to_lanes, inner)
        incoming, outgoing, inside = (tuple(tuple(of[link]) for link in links) for of in parts)
        signals.append(
            Signal(
                name,
                phases,
                **asdict(extras.clearance),
                incoming_lanes=incoming,
                outgoing_lanes=outgoing,
                inner_edges=inside,
            )
        )
    return tuple(signals)


def _cache_key(config: NetworkConfig) -> str:
    """SHA-256 of everything that decides the network, equal for equal values (2 and 2.0).

    A file counts by its content, wherever it lies.
    """
    values = _plain(asdict(config))
    if isinstance(config, NetFileConfig | OsmConfig):
        values["file"] = _file_hash(Path(config.file))
    decides = [values, sumo_version(), GENERATOR_VERSION]
    return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    return float(value) if isinstance(value, int) else value


def _file_hash(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise NetworkError(f"network file {file} cannot be read: {error.strerror}") from error
