"""Every trip of a scenario: who drives when, from where, to where, by which strategy.

Shapes: V vehicles, N vehicles of one kind, L lines of public transport.
Passenger cars are drawn from the private seed and public transport from the public seed, each
decision from its own stream: another public seed leaves every car as it was, and the other way.
A line of public transport keeps its own shortest way; routing shares apply to passenger cars.
"""

from dataclasses import dataclass, fields
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from trafficrl.config.departure_patterns import parse_departure_pattern
from trafficrl.config.scenarios import (
    ROUTE_PATTERNS,
    ROUTING_STRATEGIES,
    VEHICLE_TYPES,
    GeneratedScenarioConfig,
)
from trafficrl.demand.apportion import apportion
from trafficrl.demand.day_phases import day_phase
from trafficrl.demand.departures import build_departures
from trafficrl.demand.origins_destinations import StreetPairs, check_patterns, generate_pairs
from trafficrl.demand.scenario import DemandSeeds
from trafficrl.network.model import DAY_PHASES
from trafficrl.runs.seeding import stream

__all__ = ["Trips", "generate_trips"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

COMMUTER_BIAS = {"morning": {"in": 1.5, "out": 0.5}, "evening": {"in": 0.5, "out": 1.5}}
"""Factor on the share of a route pattern by day phase; 1 where none is named."""
DEPARTURES_PER_LINE_AND_DAY = 124
"""Vehicles that one line of public transport sends out in 24 h, as in the published study."""


@dataclass(frozen=True)
class Trips:
    """All trips, ordered by departure."""

    depart_s: IntArray  # (V,)
    vehicle_type: IntArray  # (V,) index into VEHICLE_TYPES
    number: IntArray  # (V,) counts the vehicles of one type from 0
    start: IntArray  # (V,) index into the network's streets
    end: IntArray  # (V,) index into the network's streets
    phase: IntArray  # (V,) index into DAY_PHASES that the two ends were drawn by
    pattern: IntArray  # (V,) index into ROUTE_PATTERNS
    strategy: IntArray  # (V,) index into ROUTING_STRATEGIES
    line: IntArray  # (V,) line of public transport; -1 for a passenger car

    def __len__(self) -> int:
        return len(self.depart_s)


def generate_trips(
    config: GeneratedScenarioConfig, pairs: StreetPairs, seeds: DemandSeeds, *, end_s: float
) -> Trips:
    """The trips of all `config.num_vehicles` vehicles, departing from 0 to before end_s.

    Raises:
        DemandError: a route pattern with a share has no pair of streets to draw, or the departure
            pattern does not fit the episode.
    """
    share = config.vehicle_types["passenger"] / 100
    # The small term undoes the rounding of a share such as 0.29, which would cost a vehicle.
    num_passengers = floor(share * config.num_vehicles + 1e-9)
    num_public = config.num_vehicles - num_passengers
    depart_s = [_departures(config, count, end_s) for count in (num_passengers, num_public)]
    parts = (
        _generate_passengers(config, pairs, seeds.private, depart_s[0]),
        _generate_public(config, pairs, seeds.public, depart_s[1], end_s),
    )
    whole = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Trips)
    }
    order = np.argsort(whole["depart_s"], kind="stable")
    return Trips(**{name: values[order] for name, values in whole.items()})


def _departures(config: GeneratedScenarioConfig, count: int, end_s: float) -> IntArray:
    pattern = parse_departure_pattern("departure_pattern", config.departure_pattern)
    return build_departures(pattern, count, start_hour=config.start_time_hour, end_s=end_s)


def _generate_passengers(
    config: GeneratedScenarioConfig, pairs: StreetPairs, seed: int, depart_s: IntArray
) -> Trips:
    count = len(depart_s)
    phases = day_phase(config.start_time_hour * 3600 + depart_s)
    check_patterns(pairs, config.passenger_routes, phases)
    pattern = _generate_patterns(
        config.passenger_routes, phases, stream(seed, "demand", "private", "pattern")
    )
    start, end = generate_pairs(pairs, pattern, phases, stream(seed, "demand", "private", "pair"))
    routing = np.array([config.routing_strategy[name] for name in ROUTING_STRATEGIES])
    strategy = _pick(np.tile(routing, (count, 1)), stream(seed, "demand", "private", "routing"))
    return Trips(
        depart_s=depart_s,
        vehicle_type=np.full(count, VEHICLE_TYPES.index("passenger")),
        number=np.arange(count),
        start=start,
        end=end,
        phase=phases,
        pattern=pattern,
        strategy=strategy,
        line=np.full(count, -1),
    )


def _generate_patterns(
    shares: dict[str, float], phases: IntArray, rng: np.random.Generator
) -> IntArray:
    """(N,) route pattern of each passenger: more into the city by morning, out by evening."""
    weight = np.array(
        [
            [shares[name] * COMMUTER_BIAS.get(phase, {}).get(name, 1.0) for name in ROUTE_PATTERNS]
            for phase in DAY_PHASES
        ]
    )
    return _pick(weight[phases], rng)


def _pick(weight: FloatArray, rng: np.random.Generator) -> IntArray:
    """(N,) a column for each row of weight (N, choices), as likely as its weight in the row."""
    total = np.cumsum(weight, axis=1)
    quantile = rng.random(len(weight)) * total[:, -1]
    return np.asarray((total <= quantile[:, None]).sum(axis=1), dtype=np.int64)


def _generate_public(
    config: GeneratedScenarioConfig,
    pairs: StreetPairs,
    seed: int,
    depart_s: IntArray,
    end_s: float,
) -> Trips:
    """Lines that take the departures by turns, so that each keeps an even headway.

    Each line has its own pair of streets, drawn for the clock time of its first departure.
    """
    count = len(depart_s)
    num_lines = _count_lines(count, end_s)
    phases = day_phase(config.start_time_hour * 3600 + depart_s[:num_lines])
    check_patterns(pairs, config.public_routes, phases)
    num_lines_by_pattern = apportion(num_lines, [config.public_routes[p] for p in ROUTE_PATTERNS])
    pattern = np.repeat(np.arange(len(ROUTE_PATTERNS)), num_lines_by_pattern)
    start, end = generate_pairs(pairs, pattern, phases, stream(seed, "demand", "public", "pair"))
    line = np.arange(count) % max(num_lines, 1)
    return Trips(
        depart_s=depart_s,
        vehicle_type=np.full(count, VEHICLE_TYPES.index("public")),
        number=np.arange(count),
        start=start[line],
        end=end[line],
        phase=phases[line],
        pattern=pattern[line],
        strategy=np.full(count, ROUTING_STRATEGIES.index("shortest")),
        line=line,
    )


def _count_lines(num_vehicles: int, end_s: float) -> int:
    """How many lines share the vehicles at the usual headway; no line is without a vehicle."""
    vehicles_per_line = end_s / 86400 * DEPARTURES_PER_LINE_AND_DAY
    return min(num_vehicles, ceil(num_vehicles / vehicles_per_line))
