"""A small town as OpenStreetMap has it: signals where main roads meet."""

SIDE = 4
"""Nodes along each side; the four in the middle have signals."""
STEP_LAT, STEP_LON = 0.0018, 0.0028  # about 200 m
INNER = range(1, SIDE - 1)


def osm(*, signals: bool = True) -> str:
    """The map, with or without the tags of its signals."""
    rows = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    for row in range(SIDE):
        for column in range(SIDE):
            rows += _node(row, column, signal=signals and row in INNER and column in INNER)
    for line in INNER:
        rows += _way(100 + line, [(line, column) for column in range(SIDE)], "primary")
        rows += _way(200 + line, [(row, line) for row in range(SIDE)], "secondary")
    # A path for people on foot, which no car may use.
    rows += _way(300, [(0, 1), (1, 2)], "footway")
    return "\n".join([*rows, "</osm>", ""])


def _node(row: int, column: int, *, signal: bool) -> list[str]:
    place = f'lat="{50.0 + row * STEP_LAT:.4f}" lon="{7.0 + column * STEP_LON:.4f}"'
    head = f'<node id="{_id(row, column)}" version="1" {place}'
    return [f'{head}><tag k="highway" v="traffic_signals"/></node>' if signal else f"{head}/>"]


def _way(number: int, places: list[tuple[int, int]], kind: str) -> list[str]:
    nodes = "".join(f'<nd ref="{_id(row, column)}"/>' for row, column in places)
    tags = f'<tag k="highway" v="{kind}"/><tag k="lanes" v="2"/><tag k="maxspeed" v="50"/>'
    return [f'<way id="{number}" version="1">{nodes}{tags}</way>']


def _id(row: int, column: int) -> int:
    return 1 + row * SIDE + column


TOWN = osm()
"""The map with its signals."""
