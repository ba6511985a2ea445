"""Which scenario, which demand and which driver seed the next training episode has.

A pure function of (seed, slot, episode): the same in every process and with any number of workers
beside it. Slots start with different scenarios and together step through all of them, so that no
scenario is left out when there are more scenarios than slots, and none is driven more often.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trafficrl.config.curriculum import CurriculumConfig
from trafficrl.config.scenarios import DemandMode, GeneratedScenarioConfig, ScenarioConfig
from trafficrl.demand.scenario import DemandSeeds
from trafficrl.runs.seeding import Split, demand_seed, stream

__all__ = ["Episode", "TrainingEpisodes"]


@dataclass(frozen=True, slots=True)
class Episode:
    """All that decides an episode beside the actions."""

    scenario: str
    demand: DemandSeeds | None
    """None: the scenario's own fixed seeds."""
    sumo_seed: int
    """Decides how drivers drive."""
    share: float = 1.0
    """Of the scenario's vehicles that drive; in training, a curriculum may say another."""

    @classmethod
    def of_split(cls, scenario: str, split: Split, index: int) -> "Episode":
        """The index-th episode of validation or test: one seed decides trips and drivers."""
        seed = demand_seed(split, index)
        return cls(scenario, DemandSeeds(seed, seed), seed)


class TrainingEpisodes:
    """The endless sequence of training episodes of one slot."""

    def __init__(
        self,
        scenarios: Mapping[str, ScenarioConfig],
        *,
        seed: int,
        slot: int,
        slots: int,
        curriculum: CurriculumConfig | None = None,
    ) -> None:
        self._scenarios = list(scenarios.items())
        self._seed = seed
        self._slot = slot
        self._slots = slots
        self._curriculum = curriculum or CurriculumConfig()

    def episode(self, index: int) -> Episode:
        """The slot's index-th episode."""
        turn = self._slot + index * self._slots
        name, config = self._scenarios[turn % len(self._scenarios)]
        rng = stream(self._seed, "training", self._slot, index)
        _, most = Split.training.value
        seed = demand_seed(Split.training, int(rng.integers(most)))
        sumo_seed = demand_seed(Split.training, int(rng.integers(most)))
        fresh = isinstance(config, GeneratedScenarioConfig) and config.demand is DemandMode.fresh
        demand = DemandSeeds(seed, seed) if fresh else None
        return Episode(name, demand, sumo_seed, self._curriculum.share(index))
