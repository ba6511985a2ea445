"""A small city, its demand and the task on it, for every room that runs SUMO."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from trafficrl.config.algorithm import ActionConfig, ActionKind
from trafficrl.config.network import GridConfig
from trafficrl.config.observation import (
    EDGE_FEATURES,
    NETWORK_FEATURES,
    PHASE_FEATURES,
    SIGNAL_FEATURES,
    ObservationConfig,
)
from trafficrl.config.reward import REWARD_TERMS, RewardConfig, TermConfig
from trafficrl.config.scenarios import DemandMode, GeneratedScenarioConfig
from trafficrl.demand.build import build_scenario
from trafficrl.demand.scenario import Scenario
from trafficrl.env.task import Task
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.simulation.options import SimulationOptions
from trafficrl.simulation.session import SumoSession

NEXT_PHASE = ActionConfig(kind=ActionKind.next_phase, interval_s=10)
DURATIONS = ActionConfig(kind=ActionKind.phase_durations, cycle_s=60)


@cache
def scratch() -> Path:
    """A folder that is gone after the tests."""
    folder = tempfile.mkdtemp(prefix="trafficrl-traffic-cases-")
    atexit.register(shutil.rmtree, folder)
    return Path(folder)


@cache
def city() -> Network:
    """Nine signals, some of three and some of four phases."""
    grid = GridConfig(network_seed=7, grid_dimension=3, block_size_m=120, lane_count=2)
    return build_network(grid, scratch())


def scenario_config(**changes: Any) -> GeneratedScenarioConfig:
    values = {"num_vehicles": 60, "private_traffic_seed": 1, "public_traffic_seed": 2}
    return GeneratedScenarioConfig(**(values | changes))


@cache
def scenario(num_vehicles: int = 60, end_s: float = 120.0) -> Scenario:
    return build_scenario(
        f"light-{num_vehicles}-{end_s:g}",
        scenario_config(num_vehicles=num_vehicles),
        city(),
        seeds=None,
        end_s=end_s,
        folder=scratch() / "demand",
    )


@contextmanager
def session(of: Scenario, **options: Any) -> Iterator[SumoSession]:
    values = {"step_s": 1.0, "seed": 3}
    with SumoSession(of, SimulationOptions(**(values | options))) as running:
        yield running


def task(**changes: Any) -> Task:
    """Every feature, every term, two scenarios of different size with fresh demand."""
    whole = Task(
        network=city(),
        scenarios={
            "few": scenario_config(num_vehicles=20, demand=DemandMode.fresh),
            "many": scenario_config(num_vehicles=40, demand=DemandMode.fresh),
        },
        observation=ObservationConfig(
            edge_features=list(EDGE_FEATURES),
            phase_features=list(PHASE_FEATURES),
            signal_features=list(SIGNAL_FEATURES),
            network_features=list(NETWORK_FEATURES),
        ),
        action=NEXT_PHASE,
        reward=RewardConfig(terms={name: TermConfig(weight=-1.0) for name in REWARD_TERMS}),
        step_s=1.0,
        end_s=60.0,
    )
    return replace(whole, **changes)


def trips_of(tripinfo: Path) -> list[dict[str, str]]:
    """SUMO's own account of each trip."""
    # SUMO wrote the file a moment ago.
    return [dict(trip.attrib) for trip in ElementTree.parse(tripinfo).getroot()]  # noqa: S314


def without_vehicles(folder: Path) -> Scenario:
    """A scenario in which nobody drives."""
    file = folder / "nobody.rou.xml"
    file.write_text("<routes/>", encoding="utf-8")
    return replace(scenario(), route_files=(file,), num_scheduled=0)


def sumo_processes() -> list[int]:
    """Process ids of every SUMO that these tests have started, zombies included."""
    done = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return [int(pid) for pid, name, *_ in rows if name == "sumo"]


def kill_sumo() -> None:
    """The one SUMO that runs dies without a word, as when memory runs out."""
    (pid,) = sumo_processes()
    os.kill(pid, signal.SIGKILL)


def drive_along(net_file: Path) -> str:
    """A route file for one vehicle, from a street of that network to the next one."""
    links = ElementTree.parse(net_file).iter("connection")  # noqa: S314
    link = next(link for link in links if not link.attrib["from"].startswith(":"))
    way = f'from="{link.attrib["from"]}" to="{link.attrib["to"]}"'
    return f'<routes><trip id="a" depart="0" {way}/></routes>\n'
