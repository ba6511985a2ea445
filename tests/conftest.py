"""Fixtures of more than one file, and the order of the tests."""

import gc
import os
from pathlib import Path

import pytest
from grid_cases import REALISTIC, small_grid
from run_cases import SHARED

from trafficrl.network.build import build_network
from trafficrl.network.model import Network

# Before torch comes: on cores that several processes share, its threads spend more time waiting
# for each other than working. Commands that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session", autouse=True)
def _one_place_for_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Runs that many tests read are made once, not once in each process of pytest-xdist."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = tmp_path_factory.getbasetemp().parent / "runs"
        place.mkdir(exist_ok=True)
        os.environ[SHARED] = str(place)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def realistic(cache_dir: Path) -> Network:
    return build_network(REALISTIC, cache_dir)


CITIES = {
    "realistic": REALISTIC,
    "random lanes": small_grid(grid_dimension=4, lane_count="random", junctions_to_remove=3),
    "five lanes": small_grid(lane_count=5),
    "dead ends": small_grid(junctions_to_remove="A0,B0", lane_count="random"),
    "a line": small_grid(grid_dimension=2, junctions_to_remove="B0,B1", lane_count=3),
}


@pytest.fixture(scope="session", params=sorted(CITIES))
def city(request: pytest.FixtureRequest, cache_dir: Path) -> Network:
    return build_network(CITIES[request.param], cache_dir)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slurm's first, which mostly wait, then whole commands: short ones are left at last."""
    first = {"slurm": 0, "app": 1, "launch": 1}
    items.sort(key=lambda item: first.get(item.path.parent.name, 2))


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: looked through for garbage they cost a third of all."""
    gc.freeze()
