"""The tree method's configuration: presets and refusals."""

from dataclasses import fields
from typing import Any

import pytest

from trafficrl.config.tree_method import (
    ORIGINAL,
    PREDECESSOR,
    PRESETS,
    Clamp,
    Density,
    HeadGrouping,
    TreeMethodConfig,
)
from trafficrl.errors import ConfigError


def differing(one: TreeMethodConfig, other: TreeMethodConfig) -> set[str]:
    return {f.name for f in fields(one) if getattr(one, f.name) != getattr(other, f.name)}


def test_the_presets_keep_the_published_constants() -> None:
    assert list(PRESETS.values()) == [TreeMethodConfig(), ORIGINAL, PREDECESSOR]
    for config in (ORIGINAL, PREDECESSOR):
        assert (config.interval_s, config.cost_interval_min, config.min_phase_s) == (90, 1.5, 10)
        assert (config.jam_density_vpkm, config.min_speed_kmh) == (150, 3)
        assert (config.exponent_m, config.exponent_l) == (0.8, 2.8)
        assert (config.density, config.weight_round) == (Density.coded, 2)
        assert (config.heads, config.sample_s) == (HeadGrouping.edges, 1)
    assert (ORIGINAL.load_factor, ORIGINAL.clamp) == (1.0, Clamp.original)
    assert (PREDECESSOR.load_factor, PREDECESSOR.clamp) == (1.2, Clamp.predecessor)


def test_the_two_published_variants_differ_where_they_should() -> None:
    found = differing(ORIGINAL, PREDECESSOR)
    assert found == {"load_factor", "clamp", "permissive_green", "speed_mean"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("interval_s", 29.0, "interval_s must be in 30..300 [s], got 29.0"),
        ("interval_s", float("nan"), "interval_s must be in 30..300 [s], got nan"),
        ("cost_interval_min", 0.0, "cost_interval_min must be in 0.1..60 [min], got 0.0"),
        ("jam_density_vpkm", 0.0, "jam_density_vpkm must be in 50..500 [veh/km/lane], got 0.0"),
        ("min_speed_kmh", 0.0, "min_speed_kmh must be in 0.1..30 [km/h], got 0.0"),
        ("exponent_m", 1.0, "exponent_m must be in 0..0.99, got 1.0"),
        ("exponent_l", 1.0, "exponent_l must be in 1.01..10, got 1.0"),
        ("min_phase_s", -1.0, "min_phase_s must be in 1..100 [s], got -1.0"),
        ("sample_s", 0.0, "sample_s must be in 0.1..60 [s], got 0.0"),
        ("load_factor", 0.0, "load_factor must be in 0.1..3, got 0.0"),
        ("weight_round", -1, "weight_round must be in 0..12, got -1"),
    ],
)
def test_what_the_method_cannot_count_with_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        TreeMethodConfig(**{field: value})
    assert str(error.value) == f"controller.*.{message}"
