import re
from pathlib import Path

import pytest
from grid_cases import small_grid

from trafficrl.errors import NetworkError
from trafficrl.network.build import build_network

VEHICLE_M = 7.5


@pytest.mark.parametrize("lane_count", [2, 3, "realistic"])
@pytest.mark.parametrize("block_size_m", [50, 65, 90, 119])
def test_short_blocks_leave_room_for_vehicles(
    cache_dir: Path, block_size_m: float, lane_count: int | str
) -> None:
    config = small_grid(block_size_m=block_size_m, lane_count=lane_count)
    network = build_network(config, cache_dir)
    assert min(edge.length_m for edge in network.edges) > VEHICLE_M + 2.5
    assert max(junction.x_m for junction in network.junctions) == 2 * block_size_m


def test_the_longest_blocks_have_turn_lanes_of_the_published_length(cache_dir: Path) -> None:
    network = build_network(small_grid(block_size_m=1000), cache_dir)
    heads = [network.edge_by_id[h].length_m for street in network.streets for h in street.heads]
    # 85 m less the half of the junction.
    assert 60 < min(heads) <= max(heads) < 80


def test_lanes_that_do_not_fit_are_told_with_the_blocks_they_need(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"network.block_size_m 50 \[m\] leaves") as caught:
        build_network(small_grid(lane_count=5, block_size_m=50), tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    needed = re.search(r"blocks of (\d+) m or more", message)
    assert needed is not None
    least_m = int(needed[1])
    assert 50 < least_m <= 80
    build_network(small_grid(lane_count=5, block_size_m=least_m), tmp_path)
    with pytest.raises(NetworkError, match=f"blocks of {least_m} m"):
        build_network(small_grid(lane_count=5, block_size_m=least_m - 5), tmp_path)
