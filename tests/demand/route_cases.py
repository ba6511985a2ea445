"""Route files by hand on a small city, and what SUMO itself makes of them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import sumo
from traffic_cases import city, trips_of

from trafficrl.demand.road_graph import build_road_graph

HOME = Path(sumo.SUMO_HOME)


def way_of(num_edges: int, *, start: int = 0) -> list[str]:
    """Edges that can be driven one after the other."""
    graph = build_road_graph(city())
    way = [graph.tails[start]]
    while len(way) < num_edges:
        way.append(next(edge for edge in graph.successors[way[-1]] if edge not in way))
    return [graph.edge_ids[edge] for edge in way]


WAY = way_of(4)
ROUTE = f'<route edges="{" ".join(WAY)}"/>'
TRIP = f'from="{WAY[0]}" to="{WAY[-1]}"'


def vehicle(name: str, depart: object, more: str = "") -> str:
    return f'<vehicle id="{name}" depart="{depart}" {more}>{ROUTE}</vehicle>'


def flow(name: str, attributes: str) -> str:
    return f'<flow id="{name}" {attributes}>{ROUTE}</flow>'


def save(file: Path, body: str, root: str = "routes") -> Path:
    file.write_text(f"<{root}>\n{body}\n</{root}>\n", encoding="utf-8")
    return file


def due_in_sumo(
    files: Sequence[Path],
    *,
    begin_s: float,
    end_s: float,
    step_s: float = 1.0,
    additional: Sequence[Path] = (),
) -> list[tuple[str, float]]:
    """Vehicle id and when it was due [s, to the millisecond], of all that were due before end_s."""
    trips = files[0].with_name("trips.xml")
    command = [
        *(str(HOME / "bin" / "sumo"), "--net-file", str(city().net_file)),
        *("--route-files", ",".join(map(str, files))),
        *("--begin", str(begin_s), "--end", str(end_s), "--step-length", str(step_s)),
        *("--tripinfo-output", str(trips), "--precision", "3"),
        *("--tripinfo-output.write-unfinished", "--tripinfo-output.write-undeparted"),
        *("--no-step-log", "true", "--no-warnings", "true", "--duration-log.disable", "true"),
    ]
    if additional:
        command += ["--additional-files", ",".join(map(str, additional))]
    done = subprocess.run(
        command, env={"SUMO_HOME": str(HOME)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    due = []
    for trip in (trip for trip in trips_of(trips) if "departDelay" in trip):  # no person
        departed_s, delay_s = float(trip["depart"]), float(trip["departDelay"])
        due_s = (departed_s if departed_s >= 0 else end_s) - delay_s
        if due_s < end_s:  # SUMO may have read on to those that come after
            due.append((trip["id"], round(due_s, 3)))
    return due
