import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from grid_cases import REALISTIC, small_grid
from zone_cases import uniform_zones

from trafficrl.config.network import Attractiveness, GridConfig
from trafficrl.network.attractiveness import Attraction, generate_attraction
from trafficrl.network.grid import build_grid
from trafficrl.network.zones import Zones, generate_zones

METHODS = list(Attractiveness)
SCRIPT = """
import json, sys
from test_attractiveness import weights_of
print(json.dumps([weights_of(method) for method in json.loads(sys.argv[1])]))
"""


def attraction(zones: Zones, **changes: object) -> Attraction:
    config = small_grid(network_seed=3, **changes)
    street = build_grid(config).streets[0]
    return generate_attraction(street, config, zones)


def city_weights(config: GridConfig) -> list[Attraction]:
    grid = build_grid(config)
    zones = generate_zones(grid.junctions, config.land_use_block_size_m, seed=config.network_seed)
    return [generate_attraction(street, config, zones) for street in grid.streets]


def weights_of(method: str) -> list[dict[str, list[float]]]:
    weights = city_weights(small_grid(attractiveness=Attractiveness[method]))
    return [{name: list(values) for name, values in asdict(one).items()} for one in weights]


def values(weights: list[Attraction]) -> np.ndarray:
    """(streets, 2, D)"""
    return np.array([(one.depart, one.arrive) for one in weights])


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_every_method_is_the_same_in_every_process(hash_seed: str) -> None:
    names = [method.name for method in METHODS]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    command = [sys.executable, "-c", SCRIPT, json.dumps(names)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [weights_of(name) for name in names]


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_whole_numbers_that_differ_by_street_and_seed(method: Attractiveness) -> None:
    found = values(city_weights(small_grid(attractiveness=method)))
    other = values(city_weights(small_grid(attractiveness=method, network_seed=8)))
    assert found.min() >= 1
    assert found.max() <= 20
    assert (found == found.astype(int)).all()
    assert len(np.unique(found, axis=0)) > len(found) / 2
    assert (found != other).mean() > 0.5


def test_attraction_follows_land_use_over_the_day() -> None:
    homes = attraction(uniform_zones("Residential"))
    jobs = attraction(uniform_zones("Employment"))
    assert homes.depart[0] > jobs.depart[0]
    assert homes.arrive[0] < jobs.arrive[0]
    assert homes.arrive[2] > jobs.arrive[2]


def test_land_use_is_the_pattern_times_one_factor() -> None:
    found = attraction(uniform_zones("Mixed"))
    assert len({*found.depart[:3], *found.arrive[:3]}) == 1
    assert 10 <= found.depart[0] <= 19
    assert 4 <= found.depart[3] <= 7


@pytest.mark.parametrize("method", [Attractiveness.land_use, Attractiveness.iac])
def test_worthless_surroundings_count_as_mixed(method: Attractiveness) -> None:
    none = attraction(uniform_zones("Employment", theta=0), attractiveness=method)
    mixed = attraction(uniform_zones("Mixed"), attractiveness=method)
    assert none == mixed


def test_poisson_scatters_around_one_mean_a_day_phase() -> None:
    config = small_grid(grid_dimension=20, attractiveness=Attractiveness.poisson, network_seed=3)
    found = values(city_weights(config))
    means = found.mean(axis=(0, 1))
    # 3040 draws a phase, clipped at 20, from a mean of 10 to 20 that differs by phase.
    assert ((means > 9.7) & (means < 18.5)).all()
    assert np.ptp(means) > 1.0
    low = means.argmin()
    assert found[..., low].var() == pytest.approx(means[low], rel=0.25)
    assert abs(np.corrcoef(found[:, 0, low], found[:, 1, low])[0, 1]) < 0.15


def test_poisson_does_not_ask_for_land_use() -> None:
    method = Attractiveness.poisson
    homes = attraction(uniform_zones("Residential"), attractiveness=method)
    assert homes == attraction(uniform_zones("Employment"), attractiveness=method)


def test_iac_is_land_use_times_the_streets_own_factor() -> None:
    config = small_grid(grid_dimension=20)
    iac = small_grid(grid_dimension=20, attractiveness=Attractiveness.iac)
    zones = uniform_zones("Employment")
    ratios = []
    for street in build_grid(config).streets:
        plain = generate_attraction(street, config, zones).depart[1]
        ratios.append(generate_attraction(street, iac, zones).depart[1] / plain)
    # 1..2 times 0.7..1.5 times 1..1.3, cut to whole numbers and to 20.
    assert 0.5 < min(ratios) < 0.95
    assert 2.0 < max(ratios) < 3.9
    assert 1.3 < float(np.mean(ratios)) < 1.9


def test_the_published_city_keeps_its_weights() -> None:
    found = values(city_weights(REALISTIC))
    assert found.shape == (108, 2, 4)
    assert found.sum() == 8568
