"""The same metrics of a part of the vehicles: by type, and by when they were to depart."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trafficrl.evaluation.trips import Trips
from trafficrl.simulation.state import FloatArray

__all__ = ["ALL", "SliceMetrics", "TripMeans", "build_slices", "mean", "pool_slices", "trip_means"]

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class TripMeans:
    """Means over a set of scheduled vehicles, whether they arrived or not; 0 where it is empty."""

    delay_s: float
    """Time loss + depart delay; one that never departed has lost all its time since it was due."""
    travel_time_s: float
    """From the scheduled departure to the arrival, or to the end of the episode."""
    waiting_time_s: float
    """Standing in the network, or due and not let in: depart delay is a part of it."""
    depart_delay_s: float
    """From the scheduled departure to the real one, or to the end of the episode."""
    stops_per_veh: float
    """How often a vehicle came to stand."""
    distance_m: float
    """How far a vehicle drove."""
    co2_g: float | None
    """By SUMO's emission model, for each vehicle; None where that was not asked."""
    fuel_g: float | None
    """Burnt by the same model, for each vehicle; None where that was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMetrics(TripMeans):
    """One type of vehicle in one slice of an episode."""

    vehicle_type: str
    """SUMO's vehicle type, or `all`."""
    slice_begin_s: float | None
    """Scheduled departures from then on, in simulation time [s]; None: at any time."""
    scheduled: int
    arrived: int


def trip_means(trips: Trips) -> TripMeans:
    """Means over all of the trips."""
    return TripMeans(
        delay_s=mean(trips.delay_s),
        travel_time_s=mean(trips.travel_time_s),
        waiting_time_s=mean(trips.waiting_s),
        depart_delay_s=mean(trips.depart_delay_s),
        stops_per_veh=mean(trips.stops),
        distance_m=mean(trips.distance_m),
        co2_g=None if trips.co2_g is None else mean(trips.co2_g),
        fuel_g=None if trips.fuel_g is None else mean(trips.fuel_g),
    )


def build_slices(trips: Trips, *, begin_s: float, slice_s: float) -> tuple[SliceMetrics, ...]:
    """A row for each type in each slice that has vehicles of it, and for `all` of either.

    Args:
        trips: all vehicles of an episode.
        begin_s: first second of the episode, where the first slice begins.
        slice_s: length of a slice.
    """
    return tuple(_slices(trips, begin_s, slice_s))


def _slices(trips: Trips, begin_s: float, slice_s: float) -> Iterator[SliceMetrics]:
    number = np.floor((trips.due_s - begin_s) / slice_s)
    everywhere = np.ones(len(trips), dtype=np.bool_)
    kinds = [(ALL, everywhere)]
    kinds += [(name, trips.vehicle_type == i) for i, name in enumerate(trips.type_names)]
    times: list[tuple[float | None, NDArray[np.bool_]]] = [(None, everywhere)]
    times += [(begin_s + float(n) * slice_s, number == n) for n in np.unique(number)]
    for name, of_kind in kinds:
        for slice_begin_s, in_time in times:
            part = trips.chosen(of_kind & in_time)
            if not len(part):
                continue
            yield SliceMetrics(
                **asdict(trip_means(part)),
                vehicle_type=name,
                slice_begin_s=slice_begin_s,
                scheduled=len(part),
                arrived=int(part.arrived.sum()),
            )


def pool_slices(slices: Iterable[SliceMetrics]) -> list[SliceMetrics]:
    """Slices of several episodes with those of the same type and time taken together, every vehicle
    counting the same; in the order in which they first come."""
    alike: dict[tuple[str, float | None], list[SliceMetrics]] = {}
    for one in slices:
        alike.setdefault((one.vehicle_type, one.slice_begin_s), []).append(one)
    return [_pool(parts) for parts in alike.values()]


def _pool(parts: list[SliceMetrics]) -> SliceMetrics:
    weights = [part.scheduled for part in parts]
    means: dict[str, Any] = {}
    for field in fields(TripMeans):
        values = [getattr(part, field.name) for part in parts]
        unknown = any(value is None for value in values)
        means[field.name] = None if unknown else float(np.average(values, weights=weights))
    arrived = sum(part.arrived for part in parts)
    return replace(parts[0], scheduled=sum(weights), arrived=arrived, **means)


def mean(values: FloatArray) -> float:
    """Arithmetic mean; 0 of nothing."""
    return float(values.mean()) if len(values) else 0.0
