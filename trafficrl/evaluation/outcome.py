"""What one episode gave, and all that names it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trafficrl.evaluation.metrics import EpisodeMetrics
from trafficrl.evaluation.slices import SliceMetrics

__all__ = ["EpisodeIdentity", "EpisodeResult", "Measure", "Outcome", "SliceQueues"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured beside the metrics that every episode has."""

    emissions: bool = False
    """CO2 and fuel by SUMO's emission model, which costs simulation time."""
    slice_s: float = 900.0
    """Length of the slices of scheduled departure, and of those that queues are kept in [s]."""


@dataclass(frozen=True, slots=True)
class SliceQueues:
    """Where vehicles stood as an episode went on."""

    slice_s: float
    """Length of a slice [s]; the first begins with the episode, the last one may be shorter."""
    edge_queue_veh: Mapping[str, tuple[float, ...]]
    """Edge -> mean number of standing vehicles in each slice; edges where nobody stood are left
    out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an episode gave."""

    metrics: EpisodeMetrics
    slices: tuple[SliceMetrics, ...]
    reward: float | None
    """Sum of rewards; None where the episode is known from a run with another reward."""
    edge_queue_veh: Mapping[str, float] = field(default_factory=dict)
    """Edge -> vehicles that stand there, mean over time; edges where nobody stood are left out."""
    slice_queues: SliceQueues | None = None
    """The same over time; None for an episode that was recorded before they were kept."""


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """One episode's metrics, and all that names it."""

    controller: str
    """Its label in tables."""
    scenario: str
    seed: int
    """Index within the split: 0, 1, ..."""
    sumo_seed: int
    metrics: EpisodeMetrics
    reward: float | None
    """Sum of rewards; None where the episode is known from a run with another reward."""
    slices: tuple[SliceMetrics, ...] = ()
    edge_queue_veh: Mapping[str, float] = field(default_factory=dict)
    """Edge -> vehicles that stand there, mean over time; edges where nobody stood are left out."""
    configuration: str = ""
    """As in its identity: the database knows it by this. Empty where it was not recorded."""
    slice_queues: SliceQueues | None = None
    """As in the outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeIdentity:
    """All that names an episode; `configuration`, `sumo` and `sumo_seed` alone decide it."""

    run: str
    """Folder of the run that asked for it."""
    checkpoint: str
    """File of the model; empty for a classical controller."""
    controller: str
    """Its label in tables."""
    kind: str
    """`model`, or the kind of classical controller."""
    parameters: str
    """All that decides the controller: its parameters, or the hash of its model (JSON)."""
    scenario: str
    split: str
    seed: int
    """Index within the split: 0, 1, ..."""
    sumo_seed: int
    """Decides demand and drivers."""
    setting: str
    """What is the same for all controllers: only within one can they be compared. Half of it is of
    the circumstances, half of the code and the versions of packages (SHA-256 of each, cut)."""
    configuration: str
    """SHA-256 of the setting and the controller."""
    reward_terms: str
    """SHA-256 of the reward: it decides the column `reward` and nothing else."""
    sumo: str
    """Version of SUMO."""
    options: str
    """SUMO's options beside network, demand and seed."""
    emissions: bool
    """Whether CO2 and fuel were measured."""
    slice_s: float
    """Length of the slices of scheduled departure [s]."""
