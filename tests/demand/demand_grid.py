"""A small city by hand, with the dataclasses of the network room: no SUMO, no file."""

from pathlib import Path

from trafficrl.network.model import Connection, Edge, Junction, Lane, Network, Street


def grid_network(dimension: int) -> Network:
    """A square grid: each street a tail of two lanes and a head of one, lengths all different."""
    names = [f"{chr(65 + x)}{y}" for x in range(dimension) for y in range(dimension)]
    streets = [_street(a, b, dimension) for a in names for b in names if _near(a, b)]
    edges: list[Edge] = []
    for number, street in enumerate(streets):
        edges.append(_edge(street.tail, num_lanes=2, length_m=100.0 + 7 * number % 31))
        edges.append(_edge(street.heads[0], num_lanes=1, length_m=50.0 + 11 * number % 17))
    return Network(
        net_file=Path("hand_made.net.xml"),
        hash="hand made",
        junctions=tuple(Junction(name, 0.0, 0.0) for name in names),
        edges=tuple(edges),
        connections=tuple(_connections(streets)),
        signals=(),
        streets=tuple(streets),
        land_use=(),
    )


def _near(a: str, b: str) -> bool:
    return abs(ord(a[0]) - ord(b[0])) + abs(int(a[1]) - int(b[1])) == 1


def _on_border(name: str, dimension: int) -> bool:
    return bool({ord(name[0]) - 65, int(name[1])} & {0, dimension - 1})


def _street(a: str, b: str, dimension: int) -> Street:
    weight = float(1 + (ord(a[0]) * 5 + int(b[1]) * 3) % 20)
    return Street(
        tail=f"{a}{b}",
        heads=(f"{a}{b}_H",),
        from_junction=a,
        to_junction=b,
        boundary=_on_border(a, dimension) and _on_border(b, dimension),
        depart_weight=(weight, 5.0, 21.0 - weight, 1.0),
        arrive_weight=(21.0 - weight, 5.0, weight, 1.0),
    )


def _edge(edge_id: str, *, num_lanes: int, length_m: float) -> Edge:
    lanes = (Lane(f"{edge_id}_{i}", length_m, 13.89, ()) for i in range(num_lanes))
    return Edge(edge_id, edge_id[:2], edge_id[2:4], tuple(lanes))


def _connections(streets: list[Street]) -> list[Connection]:
    inside = [
        Connection(f"{street.tail}_{i}", f"{street.heads[0]}_0", "s", None, -1)
        for street in streets
        for i in (0, 1)
    ]
    onward = [
        Connection(f"{a.heads[0]}_0", f"{b.tail}_0", "s", a.to_junction, 0)
        for a in streets
        for b in streets
        if a.to_junction == b.from_junction
    ]
    return inside + onward
