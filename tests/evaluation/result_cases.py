"""Episode results by hand: what a comparison is made from, without running an episode."""

from dataclasses import replace
from typing import Any

from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.outcome import EpisodeResult

NOTHING = EpisodeMetrics(
    delay_s=0.0,
    travel_time_s=0.0,
    waiting_time_s=0.0,
    depart_delay_s=0.0,
    stops_per_veh=0.0,
    distance_m=0.0,
    co2_g=0.0,
    fuel_g=0.0,
    queue_veh=0.0,
    throughput_vph=0.0,
    arrived=0,
    scheduled=0,
    arrived_duration_s=0.0,
    teleports=0,
    collisions=0,
    emergency_brakings=0,
)


def result(
    controller: str, delay_s: float, *, seed: int = 0, scenario: str = "morning", **metrics: float
) -> EpisodeResult:
    changes: dict[str, Any] = {"delay_s": delay_s, **metrics}
    values = replace(NOTHING, **changes)
    return EpisodeResult(controller, scenario, seed, 1000 + seed, values, reward=-delay_s)


def results(
    controller: str, *delays_s: float, scenario: str = "morning", **metrics: float
) -> list[EpisodeResult]:
    """One result a seed: 0, 1, ..."""
    return [
        result(controller, delay_s, seed=seed, scenario=scenario, **metrics)
        for seed, delay_s in enumerate(delays_s)
    ]
