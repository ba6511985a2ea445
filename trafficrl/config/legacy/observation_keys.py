"""Legacy keys of what a policy sees: three lists of features by name."""

from collections.abc import Mapping

from trafficrl.config.legacy.keys import LegacyKey, Moved, Moves, Run
from trafficrl.config.legacy.values import words
from trafficrl.errors import unknown_name

__all__ = ["FEATURES", "OBSERVATION_KEYS", "SCOPES"]

ALWAYS_0 = "was always 0"

FEATURES: dict[str, dict[str, tuple[str, str]]] = {
    "edge": {
        "speed_ratio": ("speed_ratio", ""),
        "density_simple": ("normalized_density", "by what the edge has room for"),
        "flow_simple": ("normalized_density", "counted the vehicles on the edge"),
        "congestion_flag": ("congestion_flag", ""),
        "normalized_density": ("normalized_density", ""),
        "normalized_flow": ("normalized_flow", ""),
        "is_bottleneck": ("is_bottleneck", ""),
        "normalized_time_loss": ("normalized_time_loss", ""),
        "normalized_cost": ("", "flow times time loss: name those two"),
        "speed_trend": ("", "went on over the ends of episodes"),
    },
    "junction": {
        "phase_normalized": ("current_phase", "one value for each phase"),
        "duration_normalized": ("phase_age", "time since the phase began, not until it ends"),
        "incoming_flow": ("", ALWAYS_0),
        "outgoing_flow": ("", ALWAYS_0),
        "upstream_bottlenecks": ("", ALWAYS_0),
        "downstream_bottlenecks": ("", ALWAYS_0),
    },
    "network": {
        "bottleneck_ratio": ("bottleneck_ratio", ""),
        "cost_normalized": ("", "speed times lanes of bottlenecks: no cost"),
        "vehicles_normalized": ("vehicles_normalized", ""),
        "avg_speed_normalized": ("avg_speed_normalized", ""),
        "congestion_ratio": ("", ALWAYS_0),
    },
}
"""Scope then -> feature then -> feature here, empty where there is none, and how it differs."""

SCOPES = {"edge": "edge", "junction": "signal", "network": "network"}
"""Scope then -> scope here."""


def _mover(scope: str, known: Mapping[str, tuple[str, str]]) -> Moves:
    def move(value: list[str], run: Run) -> Moved:
        kept: list[str] = []
        told: list[str] = []
        for name in value:
            if name not in known:
                raise ValueError(unknown_name("feature", name, known))
            feature, why = known[name]
            if feature != name:
                told.append(f"{name} {f'-> {feature}' if feature else 'left out'} ({why})")
            elif feature in kept:
                told.append(f"{name} once")
            if feature and feature not in kept:
                kept.append(feature)
        return Moved({f"algorithm.observation.{SCOPES[scope]}_features": kept}, "; ".join(told))

    return move


def _key(scope: str, default: str) -> LegacyKey:
    return LegacyKey(
        name=f"{scope}_features",
        reads=words,
        to=f"algorithm.observation.{SCOPES[scope]}_features",
        why="features by name, below",
        default=default.split(),
        moves=_mover(scope, FEATURES[scope]),
    )


OBSERVATION_KEYS = (
    _key(
        "edge",
        "speed_ratio congestion_flag normalized_density is_bottleneck normalized_time_loss "
        "speed_trend",
    ),
    _key("junction", "phase_normalized duration_normalized"),
    _key(
        "network",
        "bottleneck_ratio cost_normalized vehicles_normalized avg_speed_normalized "
        "congestion_ratio",
    ),
)
