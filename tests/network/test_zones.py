from collections import Counter

import numpy as np
import pytest
from grid_cases import REALISTIC, small_grid
from zone_cases import uniform_zones

from trafficrl.config.network import GridConfig
from trafficrl.errors import NetworkError
from trafficrl.network.grid import build_grid
from trafficrl.network.lane_counts import generate_lane_counts
from trafficrl.network.model import Junction
from trafficrl.network.zones import LAND_USES, Zones, generate_zones


def zones_of(config: GridConfig) -> Zones:
    junctions = build_grid(config).junctions
    return generate_zones(junctions, config.land_use_block_size_m, seed=config.network_seed)


def lanes_of(config: GridConfig) -> Counter[int]:
    counts = generate_lane_counts(config, build_grid(config), zones_of(config))
    return Counter(counts.values())


def test_cells_tile_the_city() -> None:
    cells = zones_of(REALISTIC).cells()
    assert len(cells) == 3136
    assert sum(cell.width_m * cell.height_m for cell in cells) == pytest.approx(1400.0**2)
    assert {(cell.width_m, cell.height_m) for cell in cells} == {(25.0, 25.0)}


def test_each_land_use_has_its_share() -> None:
    found = Counter(cell.kind for cell in zones_of(REALISTIC).cells())
    for use in LAND_USES:
        assert found[use.name] / 3136 == pytest.approx(use.share, abs=0.002)


def test_land_use_comes_in_clusters() -> None:
    kind = zones_of(REALISTIC).kind
    same = np.mean(kind[1:] == kind[:-1])
    assert same > 0.85  # independent cells would agree in a fifth of the cases


def test_theta_is_a_clipped_normal() -> None:
    theta = zones_of(REALISTIC).theta
    assert theta.min() >= 0.0
    assert theta.max() <= 1.0
    assert theta.mean() == pytest.approx(0.5, abs=0.02)
    assert theta.std() == pytest.approx(0.2, abs=0.02)


def test_cells_stretch_to_fit() -> None:
    x_m = zones_of(small_grid(block_size_m=101)).x_m
    assert len(x_m) - 1 == 8
    assert np.diff(x_m) == pytest.approx(202 / 8)


def test_near_takes_only_cells_beside_the_street() -> None:
    zones = uniform_zones("Mixed")
    kinds, _ = zones.near(Junction("a", 5.0, 100.0), Junction("b", 5.0, 200.0))
    # One column of 25 m cells; by 10 m reach only the cells that begin within the street's length
    # or touch its ends belong to it.
    assert len(kinds) == 6


def test_too_many_cells_are_told_in_one_line() -> None:
    config = small_grid(grid_dimension=20, block_size_m=1000, land_use_block_size_m=10)
    with pytest.raises(NetworkError, match=r"land_use_block_size_m 10 \[m\] gives 3610000 cells"):
        zones_of(config)


def test_realistic_lanes_of_the_published_city() -> None:
    lanes = lanes_of(REALISTIC)
    # Published: 64 and 44, where streets inside the city also counted as its perimeter.
    assert dict(lanes) == {3: 82, 2: 26}


def test_realistic_lanes_do_not_depend_on_the_number_of_cells() -> None:
    grid = build_grid(small_grid())
    for kind, lanes in (("Mixed", {3}), ("Residential", {2, 3}), ("Public Open Space", {2})):
        for cells in (8, 16, 40):
            borders = np.linspace(0.0, 400.0, cells + 1)
            index = [use.name for use in LAND_USES].index(kind)
            shape = (cells, cells)
            zones = Zones(borders, borders, np.full(shape, index), np.full(shape, 0.5))
            assert set(generate_lane_counts(small_grid(), grid, zones).values()) == lanes


def test_only_streets_on_the_border_count_as_boundary() -> None:
    # 0.5 * 0.46 = 0.23 lies above the threshold of 0.20 inside, below it on the border.
    config = small_grid(grid_dimension=5, block_size_m=100)
    grid = build_grid(config)
    zones = uniform_zones("Public Buildings", theta=0.46)
    counts = generate_lane_counts(config, grid, zones)
    assert counts["C2C1"] == counts["A1B1"] == counts["C0C1"] == 3
    assert counts["A0B0"] == counts["E3E4"] == counts["C4B4"] == 2


def test_random_lanes_use_the_whole_range() -> None:
    assert set(lanes_of(small_grid(grid_dimension=6, lane_count="random"))) == {2, 3, 4, 5}


@pytest.mark.parametrize("asked", [4, "4"])
def test_fixed_lanes(asked: int | str) -> None:
    assert set(lanes_of(small_grid(lane_count=asked))) == {4}
