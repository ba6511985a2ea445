"""What signals are paid in real traffic."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.reward import LOCAL_TERMS, LocalRewardConfig, RewardConfig, TermConfig
from trafficrl.control.commands import FollowPlan
from trafficrl.control.driver import SignalDriver
from trafficrl.env.local_rewards import LocalReward
from trafficrl.env.rewards import WeightedReward, build_reward
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.state import TrafficState

CITY = cases.city()


@pytest.fixture(scope="module")
def state() -> TrafficState:
    """After two minutes of more traffic than the city takes."""
    with cases.session(cases.scenario(num_vehicles=600, end_s=120.0)) as session:
        reader = StateReader(session, CITY, sample_s=5.0)
        found = SignalDriver(session, CITY.signals, reader).advance(FollowPlan(120.0))
    assert found.mean_backlog_veh > 1
    return found


def paid(state: TrafficState, name: str, **changes: Any) -> np.ndarray[Any, Any]:
    config = LocalRewardConfig(terms={name: TermConfig(weight=1.0)}, **changes)
    return LocalReward(config, CITY).pay_signals(state)[0]


def before_signals(state: TrafficState, values: np.ndarray[Any, Any]) -> float:
    """The sum over all streets that end at a signal."""
    ends = {signal.id for signal in CITY.signals}
    edges = {e for s in CITY.streets if s.to_junction in ends for e in (s.tail, *s.heads)}
    return float(
        sum(
            values[CITY.lane_index[lane.id]]
            for edge in CITY.edges
            if edge.id in edges
            for lane in edge.lanes
        )
    )


def test_local_queues_and_delays_sum_up_to_those_of_the_streets(state: TrafficState) -> None:
    queue, delayed = paid(state, "local_queue_veh"), paid(state, "local_delayed_veh")
    assert queue.shape == (len(CITY.signals),)
    assert queue.min() > 0
    assert queue.sum() == pytest.approx(before_signals(state, state.mean.queue_veh))
    assert delayed.sum() == pytest.approx(before_signals(state, state.mean.delayed_veh))
    assert delayed.sum() < state.mean.delayed_veh.sum(), "streets that leave the city do not count"


def test_waits_are_summed_in_minutes(state: TrafficState) -> None:
    waiting = paid(state, "local_waiting_min")
    assert waiting.min() > 0
    assert 60 * waiting.sum() == pytest.approx(before_signals(state, state.mean.waiting_s))


def test_those_outside_are_shared_by_all(state: TrafficState) -> None:
    outside = paid(state, "backlog_per_signal_veh")
    assert outside.sum() == pytest.approx(state.mean_backlog_veh)
    assert len(set(outside.tolist())) == 1


def test_delay_and_backlog_by_signal_are_nearly_the_delay_of_everybody(state: TrafficState) -> None:
    terms = {
        "local_delayed_veh": TermConfig(weight=-1),
        "backlog_per_signal_veh": TermConfig(weight=-1),
    }
    reward, _ = LocalReward(LocalRewardConfig(terms=terms), CITY).pay(state)
    everybody = RewardConfig(terms={"delay_per_signal_veh": TermConfig(weight=-1)})
    assert reward == pytest.approx(WeightedReward(everybody, CITY).pay(state)[0], rel=0.1)


def test_the_pressure_of_a_signal_falls_with_what_stands_ahead(state: TrafficState) -> None:
    before = paid(state, "local_pressure_veh")
    lanes = replace(state.mean, vehicles_veh=np.zeros_like(state.mean.vehicles_veh))
    assert before.min() >= 0
    assert before.max() > 0
    assert not paid(replace(state, mean=lanes), "local_pressure_veh").any()
    even = replace(state.mean, vehicles_veh=np.ones_like(state.mean.vehicles_veh))
    ends = paid(replace(state, mean=even), "local_pressure_veh")
    assert not ends.any(), "every lane leads to as much as it holds"


def test_a_share_of_the_neighbours_is_added(state: TrafficState) -> None:
    own, shared = (
        paid(state, "local_queue_veh"),
        paid(state, "local_queue_veh", neighbour_share=0.5),
    )
    lanes_to: dict[str, set[str]] = {}
    for street in CITY.streets:
        lanes_to.setdefault(street.to_junction, set()).add(street.from_junction)
    place = {signal.id: number for number, signal in enumerate(CITY.signals)}
    for signal, number in place.items():
        beside = [own[place[other]] for other in lanes_to[signal] if other in place]
        assert beside
        assert shared[number] == pytest.approx(own[number] + 0.5 * np.mean(beside))


def test_no_signal_is_paid_less_than_the_floor(state: TrafficState) -> None:
    free = paid(state, "local_queue_veh", neighbour_share=0.5)
    floor = float(np.median(free))
    assert free.min() < floor < free.max()
    held = paid(state, "local_queue_veh", neighbour_share=0.5, floor=floor)
    assert held.tolist() == np.maximum(free, floor).tolist()


def test_weights_means_and_deviations_count_and_terms_are_told(state: TrafficState) -> None:
    terms = {name: TermConfig(weight=2.0, mean=3.0, std=4.0) for name in LOCAL_TERMS}
    reward = build_reward(LocalRewardConfig(terms=terms), CITY)
    rewards, told = reward.pay_signals(state)
    values = {name: paid(state, name) for name in LOCAL_TERMS}
    assert rewards == pytest.approx(sum(2 * (value - 3) / 4 for value in values.values()))
    assert told == pytest.approx({name: value.mean() for name, value in values.items()})
    mean, again = reward.pay(state)
    assert mean == pytest.approx(rewards.mean())
    assert again == told


def test_a_reward_of_the_whole_network_is_paid_to_every_signal(state: TrafficState) -> None:
    reward = build_reward(RewardConfig(terms={"speed_kmh": TermConfig(weight=1.0)}), CITY)
    rewards, told = reward.pay_signals(state)
    assert rewards.tolist() == [told["speed_kmh"]] * len(CITY.signals)
