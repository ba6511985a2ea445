"""Every routing strategy in a real run with closed streets: who leaves its way, when, and why."""

import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sumo

from trafficrl.config.network import GridConfig
from trafficrl.config.scenarios import GeneratedScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.vehicle_types import REROUTING
from trafficrl.network.build import build_network
from trafficrl.network.model import Edge

HOME = Path(sumo.SUMO_HOME)
CLOSED = ("B1B2", "B2B1", "C1B1", "C2C1")
END_S = 1200


@dataclass(frozen=True)
class Driven:
    """What became of one vehicle's way."""

    depart_s: float
    planned: list[str]
    """Edges when it set out."""
    driven: list[str]
    changed_at_s: list[float]
    """Times of changes after the departure."""


def closed_lanes(edges: list[Edge]) -> str:
    """A route file whose vehicles stand on every lane of the edges from the start to the end."""
    lines = ["<routes>", '<vType id="wall"/>']
    for edge in edges:
        for number, lane in enumerate(edge.lanes):
            lines.append(
                f'<vehicle id="wall.{lane.id}" type="wall" depart="0" departLane="{number}"'
                f' departPos="60"><route edges="{edge.id}"/>'
                f'<stop lane="{lane.id}" endPos="80" duration="{2 * END_S}"/></vehicle>'
            )
    return "\n".join([*lines, "</routes>"])


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Driven]]:
    """Strategy (or `public`) -> its vehicles, in a city with four closed streets."""
    folder = tmp_path_factory.mktemp("closed")
    network = build_network(
        GridConfig(network_seed=24208, grid_dimension=4, block_size_m=200, lane_count="realistic"),
        folder / "cache",
    )
    config = GeneratedScenarioConfig(
        num_vehicles=600,
        private_traffic_seed=72632,
        public_traffic_seed=27031,
        passenger_routes="inner 100",
        routing_strategy="shortest 25 realtime 25 fastest 25 attractiveness 25",
        start_time_hour=8.0,
    )
    scenario = build_scenario("all", config, network, seeds=None, end_s=600.0, folder=folder)
    walls = folder / "walls.rou.xml"
    walls.write_text(closed_lanes([network.edge_by_id[edge] for edge in CLOSED]))
    command = [
        str(HOME / "bin" / "sumo"),
        *("--net-file", str(scenario.net_file)),
        *("--route-files", f"{walls},{scenario.route_files[0]}"),
        *("--vehroute-output", str(folder / "ways.xml"), "--vehroute-output.write-unfinished"),
        *("--time-to-teleport", "-1", "--end", str(END_S), "--seed", "1", "--no-step-log", "true"),
    ]
    done = subprocess.run(
        command, env={"SUMO_HOME": str(HOME)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return ways(folder / "ways.xml")


def ways(file: Path) -> dict[str, list[Driven]]:
    found = defaultdict(list)
    # SUMO wrote the file a moment ago.
    for vehicle in ElementTree.parse(file).getroot():  # noqa: S314
        depart_s = float(vehicle.attrib["depart"])
        routes = list(vehicle.iter("route"))
        times = [float(r.attrib["replacedAtTime"]) for r in routes if "replacedAtTime" in r.attrib]
        before = sum(time <= depart_s for time in times)
        kind = vehicle.attrib["type"].removeprefix("passenger_")
        found[kind].append(
            Driven(
                depart_s=depart_s,
                planned=routes[before].attrib["edges"].split(),
                driven=routes[-1].attrib["edges"].split(),
                changed_at_s=times[before:],
            )
        )
    return found


def through(edges: list[str]) -> bool:
    """The way leads through a closed street; one that begins or ends there has no choice."""
    return bool(set(edges[1:-1]) & set(CLOSED))


def test_shortest_and_public_keep_their_way_into_a_closed_street(
    driven: dict[str, list[Driven]],
) -> None:
    for kind in ("passenger", "public"):
        assert len(driven[kind]) > 50
        assert all(way.changed_at_s == [] for way in driven[kind])
        assert any(through(way.driven) for way in driven[kind])


@pytest.mark.parametrize("strategy", sorted(REROUTING))
def test_the_others_drive_round_closed_streets_each_in_its_own_time(
    driven: dict[str, list[Driven]], strategy: str
) -> None:
    period_s = REROUTING[strategy].period_s
    changed = [way for way in driven[strategy] if way.changed_at_s]
    assert len(changed) > 10
    waited_s = [time - way.depart_s for way in changed for time in way.changed_at_s]
    assert {wait % period_s for wait in waited_s} == {0.0}
    assert min(waited_s) == period_s
    avoided = [way for way in changed if through(way.planned) and not through(way.driven)]
    assert len(avoided) >= 2


def test_only_realtime_looks_round_before_it_sets_out(driven: dict[str, list[Driven]]) -> None:
    def into_walls(kind: str) -> float:
        late = [way for way in driven[kind] if way.depart_s > 200]
        return sum(through(way.planned) for way in late) / len(late)

    assert into_walls("realtime") < 0.05
    assert min(into_walls(kind) for kind in ("passenger", "fastest", "attractiveness")) > 0.15
