"""Real traffic obeys each strategy's plan without a stop that the signals caused."""

import random
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sumo
from grid_cases import small_grid

from trafficrl.config.network import Strategy
from trafficrl.network.build import build_network
from trafficrl.network.model import Network

SUMO = Path(sumo.SUMO_HOME) / "bin" / "sumo"
NUM_TRIPS = 150
PERMISSIVE = [Strategy.opposites, Strategy.incoming]
CASES: list[tuple[Strategy, dict[str, Any]]] = [
    *((strategy, {"lane_count": 2}) for strategy in Strategy),
    *((strategy, {"lane_count": "random", "grid_dimension": 4}) for strategy in Strategy),
    *((strategy, {"lane_count": 1}) for strategy in PERMISSIVE),
    *((strategy, {"lane_count": 0}) for strategy in PERMISSIVE),
    *((strategy, {"lane_count": 3, "block_size_m": 60}) for strategy in Strategy),
]


def save_trips(network: Network, file: Path) -> None:
    """One trip each four seconds between two streets, drawn evenly."""
    rng = random.Random(5)
    tails = [street.tail for street in network.streets]
    rows = []
    for index in range(NUM_TRIPS):
        start, end = rng.sample(tails, 2)
        ends = f'from="{start}" to="{end}" departLane="best" departSpeed="max"'
        rows.append(f'<trip id="{index}" depart="{4 * index}" {ends}/>')
    file.write_text("<routes>\n" + "\n".join(rows) + "\n</routes>\n")


@pytest.mark.parametrize(("strategy", "changes"), CASES)
def test_traffic_obeys_the_plan(
    cache_dir: Path, tmp_path: Path, strategy: Strategy, changes: dict[str, Any]
) -> None:
    network = build_network(small_grid(**changes, traffic_light_strategy=strategy), cache_dir)
    trips, statistics = tmp_path / "trips.xml", tmp_path / "statistics.xml"
    save_trips(network, trips)
    command: list[str | Path] = [SUMO, "-n", network.net_file, "-r", trips, "--seed", "1"]
    command += [
        "--end",
        "1500",
        "--no-step-log",
        "--duration-log.statistics",
        "--statistic-output",
        statistics,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    found = {part.tag: part.attrib for part in ET.parse(statistics).getroot()}  # noqa: S314 - ours
    assert found["vehicles"]["inserted"] == str(NUM_TRIPS)
    assert found["vehicles"]["running"] == "0"
    assert found["teleports"]["total"] == "0"
    assert set(found["safety"].values()) == {"0"}
    # A trip of a few blocks waits for a few signals at most.
    assert float(found["vehicleTripStatistics"]["timeLoss"]) < 150
