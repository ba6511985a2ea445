"""What an episode was worth, over every scheduled vehicle: nothing is gained by keeping one out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError, iterparse

import numpy as np

from trafficrl.errors import SimulationError
from trafficrl.simulation.state import FloatArray, TrafficState

__all__ = ["METRICS", "EpisodeMetrics", "Metric", "episode_metrics"]


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is shown."""

    title: str
    unit: str
    better: str
    """`lower` or `higher`."""


METRICS: dict[str, Metric] = {
    "delay_s": Metric("delay", "s", "lower"),
    "travel_time_s": Metric("travel time", "s", "lower"),
    "waiting_time_s": Metric("waiting time", "s", "lower"),
    "queue_veh": Metric("queue", "veh", "lower"),
    "throughput_vph": Metric("throughput", "veh/h", "higher"),
    "arrived": Metric("arrived", "veh", "higher"),
    "scheduled": Metric("scheduled", "veh", "higher"),
    "arrived_duration_s": Metric("duration of the arrived", "s", "lower"),
    "teleports": Metric("teleports", "", "lower"),
    "collisions": Metric("collisions", "", "lower"),
    "emergency_brakings": Metric("emergency brakings", "", "lower"),
}


@dataclass(frozen=True, slots=True)
class EpisodeMetrics:
    """One episode. Means are over all scheduled vehicles, whether they arrived or not."""

    delay_s: float
    """Time loss + depart delay; one that never departed has lost all its time since it was due."""
    travel_time_s: float
    """From the scheduled departure to the arrival, or to the end of the episode."""
    waiting_time_s: float
    """Standing in the network."""
    queue_veh: float
    """Mean over time of all vehicles that stand in the network."""
    throughput_vph: float
    arrived: int
    scheduled: int
    arrived_duration_s: float
    """In the network, over the arrived only: not for ranking, but what older studies report."""
    teleports: int
    collisions: int
    emergency_brakings: int


COLUMNS = ("arrival", "duration", "timeLoss", "waitingTime", "departDelay")


def episode_metrics(
    tripinfo: Path,
    states: list[TrafficState],
    *,
    scheduled: int | None,
    begin_s: float,
    end_s: float,
) -> EpisodeMetrics:
    """The metrics of an episode that has been closed.

    Args:
        tripinfo: SUMO's trips, unfinished and undeparted ones included.
        states: one a decision.
        scheduled: vehicles that were due in begin_s..end_s, as the demand has it; None where only
            SUMO knows.
        begin_s: first second of the episode.
        end_s: its last second; an episode that emptied earlier counts as if it had gone on.

    Raises:
        SimulationError: the trips are missing or damaged, or are not those that were scheduled.
    """
    trips = np.array(list(_rows(tripinfo)), dtype=np.float64).reshape(-1, len(COLUMNS))
    due = states[-1].totals.scheduled_veh if scheduled is None else scheduled
    if len(trips) != due:
        raise SimulationError(f"{tripinfo}: {len(trips)} trips, but {due} were scheduled")
    arrival, duration, time_loss, waiting, depart_delay = trips.T
    arrived = arrival >= 0
    last = states[-1].totals
    return EpisodeMetrics(
        delay_s=_mean(time_loss + depart_delay),
        travel_time_s=_mean(duration + depart_delay),
        waiting_time_s=_mean(waiting),
        queue_veh=sum(_queue(state) * state.interval_s for state in states) / (end_s - begin_s),
        throughput_vph=float(arrived.sum()) / (end_s - begin_s) * 3600.0,
        arrived=int(arrived.sum()),
        scheduled=len(trips),
        arrived_duration_s=_mean(duration[arrived]),
        teleports=last.teleports,
        collisions=last.collisions,
        emergency_brakings=last.emergency_brakings,
    )


def _queue(state: TrafficState) -> float:
    return float(state.mean.queue_veh.sum())


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _rows(tripinfo: Path) -> Iterator[list[float]]:
    try:
        for _, element in iterparse(tripinfo):  # noqa: S314 - SUMO wrote it a moment ago
            if element.tag == "tripinfo":
                yield [float(element.attrib[name]) for name in COLUMNS]
                element.clear()
    except (OSError, ParseError, KeyError, ValueError) as error:
        raise SimulationError(f"{tripinfo}: no whole list of trips: {error}") from error
