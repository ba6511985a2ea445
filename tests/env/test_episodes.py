"""Which episode comes when: a pure function, nobody left out, no test demand seen in training."""

from itertools import islice

import pytest
import traffic_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from trafficrl.config.scenarios import DemandMode, ScenarioConfig
from trafficrl.demand.scenario import DemandSeeds
from trafficrl.env.episodes import Episode, TrainingEpisodes
from trafficrl.runs.seeding import Split

SEEDS = st.integers(0, 2**32 - 1)
FEW = st.integers(1, 9)


def scenarios(count: int, demand: DemandMode = DemandMode.fresh) -> dict[str, ScenarioConfig]:
    return {f"s{i}": cases.scenario_config(demand=demand) for i in range(count)}


def names(count: int, *, slot: int, slots: int, episodes: int) -> list[str]:
    sequence = TrainingEpisodes(scenarios(count), seed=1, slot=slot, slots=slots)
    return [sequence.episode(index).scenario for index in range(episodes)]


@given(seed=SEEDS, slot=st.integers(0, 8), index=st.integers(0, 10**6))
def test_an_episode_follows_from_seed_slot_and_index_alone(
    seed: int, slot: int, index: int
) -> None:
    one = TrainingEpisodes(scenarios(3), seed=seed, slot=slot, slots=9)
    other = TrainingEpisodes(scenarios(3), seed=seed, slot=slot, slots=9)
    for earlier in range(3):
        other.episode(earlier)
    assert one.episode(index) == other.episode(index)


@given(count=FEW, slots=FEW)
def test_no_scenario_is_left_out_nor_preferred(count: int, slots: int) -> None:
    """After as many rounds as there are scenarios each has had its turn equally often."""
    seen = [
        name
        for slot in range(slots)
        for name in names(count, slot=slot, slots=slots, episodes=count)
    ]
    assert {name: seen.count(name) for name in seen} == {f"s{i}": slots for i in range(count)}


@given(count=FEW, slots=FEW)
def test_slots_begin_with_as_many_scenarios_as_they_can(count: int, slots: int) -> None:
    first = {names(count, slot=slot, slots=slots, episodes=1)[0] for slot in range(slots)}
    assert len(first) == min(count, slots)


@given(seed=SEEDS, slot=st.integers(0, 500), index=st.integers(0, 10**6))
def test_training_never_draws_a_demand_that_judges(seed: int, slot: int, index: int) -> None:
    episode = TrainingEpisodes(scenarios(2), seed=seed, slot=slot, slots=501).episode(index)
    first, count = Split.training.value
    assert episode.demand is not None
    for drawn in (episode.demand.private, episode.demand.public):
        assert first <= drawn < first + count
    assert 0 <= episode.sumo_seed < 2**31


def test_splits_do_not_meet() -> None:
    ranges = sorted(split.value for split in Split)
    ends = [first + count for first, count in ranges]
    assert [first for first, _ in ranges[1:]] == ends[:-1]
    assert (ranges[0][0], ends[-1]) == (0, 2**31)


@pytest.mark.parametrize("split", [Split.validation, Split.test])
def test_one_seed_decides_an_episode_that_judges(split: Split) -> None:
    first, _ = split.value
    episode = Episode.of_split("s0", split, 3)
    assert episode == Episode("s0", DemandSeeds(first + 3, first + 3), first + 3)


def test_fixed_demand_keeps_its_own_seeds_but_not_its_drivers() -> None:
    sequence = TrainingEpisodes(scenarios(1, DemandMode.fixed), seed=1, slot=0, slots=1)
    episodes = list(islice(map(sequence.episode, range(100)), 20))
    assert {episode.demand for episode in episodes} == {None}
    assert len({episode.sumo_seed for episode in episodes}) == 20


def test_episodes_slots_and_seeds_differ() -> None:
    drawn = [
        TrainingEpisodes(scenarios(1), seed=seed, slot=slot, slots=4).episode(index)
        for seed in range(4)
        for slot in range(4)
        for index in range(4)
    ]
    assert len({episode.demand for episode in drawn}) == 64
    assert len({episode.sumo_seed for episode in drawn}) == 64


def test_the_first_episodes_are_what_they_always_were() -> None:
    """A known answer: whoever changes this changes the result of every seed."""
    sequence = TrainingEpisodes(scenarios(2), seed=1, slot=1, slots=2)
    assert [sequence.episode(index) for index in range(2)] == [
        Episode("s1", DemandSeeds(711285593, 711285593), 239272918),
        Episode("s1", DemandSeeds(358552021, 358552021), 78486648),
    ]
