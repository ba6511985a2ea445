"""What an episode was worth, over every scheduled vehicle: nothing is gained by keeping one out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from trafficrl.errors import SimulationError
from trafficrl.evaluation.slices import TripMeans, mean, trip_means
from trafficrl.evaluation.trips import Trips
from trafficrl.simulation.state import TrafficState

__all__ = ["METRICS", "EpisodeMetrics", "Metric", "episode_metrics"]


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is shown."""

    title: str
    unit: str
    better: str
    """`lower` or `higher`."""
    needs_completion: bool = False
    """It looks better where fewer vehicles arrive: it ranks none whose completion differs."""


METRICS: dict[str, Metric] = {
    "delay_s": Metric("delay", "s", "lower"),
    "travel_time_s": Metric("travel time", "s", "lower", needs_completion=True),
    "waiting_time_s": Metric("waiting time", "s", "lower"),
    "depart_delay_s": Metric("depart delay", "s", "lower"),
    "stops_per_veh": Metric("stops", "/veh", "lower", needs_completion=True),
    "distance_m": Metric("distance", "m", "lower", needs_completion=True),
    "co2_g": Metric("CO2", "g/veh", "lower", needs_completion=True),
    "fuel_g": Metric("fuel", "g/veh", "lower", needs_completion=True),
    "queue_veh": Metric("queue", "veh", "lower"),
    "throughput_vph": Metric("throughput", "veh/h", "higher"),
    "arrived": Metric("arrived", "veh", "higher"),
    "scheduled": Metric("scheduled", "veh", "higher"),
    "arrived_duration_s": Metric("duration of the arrived", "s", "lower", needs_completion=True),
    "teleports": Metric("teleports", "", "lower", needs_completion=True),
    "collisions": Metric("collisions", "", "lower", needs_completion=True),
    "emergency_brakings": Metric("emergency brakings", "", "lower", needs_completion=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeMetrics(TripMeans):
    """One episode. Means are over all scheduled vehicles, whether they arrived or not."""

    queue_veh: float
    """Mean over time of all vehicles that stand in the network, or are due and not let in."""
    throughput_vph: float
    """Vehicles that arrived, per hour of the whole episode."""
    arrived: int
    """Vehicles that reached the end of their trip within the episode."""
    scheduled: int
    """Vehicles that were due within the episode: the same for all controllers."""
    arrived_duration_s: float | None
    """In the network, over the arrived only: not for ranking, but what older studies report. None
    where nobody arrived."""
    teleports: int
    """Vehicles that SUMO put beyond their jam (`simulation.time_to_teleport_s`)."""
    collisions: int
    """As SUMO counts them."""
    emergency_brakings: int
    """Vehicles that braked harder than their type may in traffic as usual."""


def episode_metrics(
    trips: Trips,
    states: Sequence[TrafficState],
    *,
    scheduled: int | None,
    begin_s: float,
    end_s: float,
) -> EpisodeMetrics:
    """The metrics of an episode that has been closed.

    Args:
        trips: of all vehicles that were due.
        states: one a decision.
        scheduled: vehicles that were due in begin_s..end_s, as the demand has it; None where only
            SUMO knows.
        begin_s: first second of the episode.
        end_s: its last second; an episode that emptied earlier counts as if it had gone on.

    Raises:
        SimulationError: the trips are not those that were scheduled.
    """
    last = states[-1].totals
    # SUMO itself counts none that was due within its last step.
    due = last.scheduled_veh if scheduled is None else scheduled
    if len(trips) < due or (scheduled is not None and len(trips) > due):
        raise SimulationError(f"SUMO listed {len(trips)} trips, but {due} were scheduled")
    arrived = int(trips.arrived.sum())
    return EpisodeMetrics(
        **asdict(trip_means(trips)),
        queue_veh=sum(queue_veh(state) * state.interval_s for state in states) / (end_s - begin_s),
        throughput_vph=arrived / (end_s - begin_s) * 3600.0,
        arrived=arrived,
        scheduled=len(trips),
        arrived_duration_s=mean(trips.duration_s[trips.arrived]) if arrived else None,
        teleports=last.teleports,
        collisions=last.collisions,
        emergency_brakings=last.emergency_brakings,
    )


def queue_veh(state: TrafficState) -> float:
    """Standing in the whole network, or due and not let in: mean over the interval before the
    state [veh]."""
    return float(state.mean.queue_veh.sum()) + state.mean_backlog_veh
