"""Every parameter of a generated city over its full range, and one line for what lies outside."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from grid_cases import small_grid

from trafficrl.config.network import Attractiveness, SignalsConfig, Strategy
from trafficrl.errors import ConfigError
from trafficrl.network.build import build_network

PERMISSIVE = {"traffic_light_strategy": Strategy.opposites}
TEN_SECONDS = SignalsConfig(yellow_s=10, all_red_s=0, min_green_s=10, cycle_s=120)


@pytest.mark.parametrize(
    "changes",
    [
        {"grid_dimension": 2},
        {"grid_dimension": 26},
        {"block_size_m": 50},
        {"block_size_m": 1000},
        {"block_size_m": 123.4},
        {"junctions_to_remove": 7},
        {"junctions_to_remove": "0"},
        {"junctions_to_remove": 100, "grid_dimension": 20},
        {"junctions_to_remove": "A0,B1"},
        *({"lane_count": count} for count in (2, 3, 4, 5, "2", "5", "random", "realistic")),
        *({"lane_count": count, **PERMISSIVE} for count in (0, 1, "0", "1")),
        *({"step_length": step, "signals": TEN_SECONDS} for step in (1, 2, 2.5, 5, 10)),
        *({"step_length": step} for step in (0.1, 0.2, 0.25, 0.5, 1)),
        {"land_use_block_size_m": 10},
        {"land_use_block_size_m": 100},
        *({"attractiveness": method} for method in Attractiveness),
        *({"traffic_light_strategy": strategy} for strategy in Strategy),
        {"network_seed": 0},
        {"network_seed": 2**32 - 1},
        {"signals": SignalsConfig(yellow_s=0, all_red_s=0)},
    ],
)
def test_the_whole_range_is_allowed(changes: dict[str, Any]) -> None:
    config = small_grid(**changes)
    assert {name: getattr(config, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"grid_dimension": 1}, "got 1: a single junction has no streets"),
        ({"grid_dimension": 0}, "network.grid_dimension must be in 2..26 [junctions], got 0"),
        ({"grid_dimension": 27}, "network.grid_dimension must be in 2..26 [junctions], got 27"),
        ({"block_size_m": 49}, "network.block_size_m must be in 50..1000 [m], got 49"),
        ({"block_size_m": 1001}, "got 1001"),
        ({"block_size_m": float("nan")}, "network.block_size_m must be in 50..1000 [m], got nan"),
        ({"junctions_to_remove": -1}, "network.junctions_to_remove must be in 0..7, got -1"),
        ({"junctions_to_remove": 8}, "network.junctions_to_remove must be in 0..7, got 8"),
        ({"lane_count": 6}, "network.lane_count must be in 2..5 [lanes], got 6"),
        ({"lane_count": 1}, "network.lane_count must be in 2..5 [lanes], got 1"),
        ({"lane_count": "realistc"}, "unknown 'realistc' (did you mean 'realistic'?)"),
        ({"lane_count": "7"}, "network.lane_count: unknown '7'"),
        ({"lane_count": 0}, "network.traffic_light_strategy opposites or incoming"),
        ({"lane_count": "0"}, "network.traffic_light_strategy opposites or incoming"),
        ({"step_length": 0}, "network.step_length must be in 0.1..10 [s], got 0"),
        ({"step_length": 11}, "network.step_length must be in 0.1..10 [s], got 11"),
        ({"step_length": 2}, "network.signals.yellow_s must be a whole multiple of"),
        ({"step_length": 2}, "network.step_length 2 [s], got 3: choose 2 or 4"),
        ({"land_use_block_size_m": 9}, "network.land_use_block_size_m must be in 10..100 [m]"),
        ({"network_seed": -1}, "network.network_seed must be in 0..4294967295, got -1"),
    ],
)
def test_what_lies_outside_is_told_in_one_line(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small_grid(**changes)
    assert told in str(caught.value)
    assert str(caught.value).startswith("network.")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("step_length", "signals"), [(10.0, TEN_SECONDS), (2.5, TEN_SECONDS), (0.1, SignalsConfig())]
)
def test_greens_are_whole_steps(
    cache_dir: Path, step_length: float, signals: SignalsConfig
) -> None:
    network = build_network(small_grid(step_length=step_length, signals=signals), cache_dir)
    for signal in network.signals:
        assert signal.cycle_s == pytest.approx(signals.cycle_s)
        for phase in signal.phases:
            steps = phase.duration_s / step_length
            assert steps == pytest.approx(round(steps))
            assert phase.duration_s >= signals.min_green_s


def test_reading_a_configuration_again_changes_nothing() -> None:
    config = small_grid(custom_lanes="A1B1=tail:3")
    assert type(config)(**{**asdict(config), "signals": config.signals}) == config
