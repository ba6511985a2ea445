"""Grid configurations that the network tests start from."""

from dataclasses import replace
from typing import Any

from trafficrl.config.network import GridConfig
from trafficrl.network.model import Lane, Network, Street

SMALL = GridConfig(network_seed=7, grid_dimension=3, block_size_m=200, lane_count="realistic")
REALISTIC = GridConfig(
    network_seed=24208,
    grid_dimension=6,
    junctions_to_remove=2,
    block_size_m=280,
    lane_count="realistic",
)


def small_grid(**changes: Any) -> GridConfig:
    return replace(SMALL, **changes)


def stop_line(network: Network, street: Street) -> list[Lane]:
    """The lanes at the stop line of a street, from right to left."""
    return [lane for head in street.heads for lane in network.edge_by_id[head].lanes]
