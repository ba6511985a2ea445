"""Rows of single signals in real traffic, against plain Python over the network's own links."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.algorithm import ActionConfig, ActionKind, PhaseOrder
from trafficrl.config.shared_policy import (
    LOCAL_PHASE_FEATURES,
    LOCAL_SIGNAL_FEATURES,
    LOCAL_VALUE_FEATURES,
    SignalObservationConfig,
)
from trafficrl.control.commands import NextPhase
from trafficrl.control.driver import SignalDriver
from trafficrl.env.signal_observations import MOST, SignalObservations
from trafficrl.errors import NetworkError
from trafficrl.network.detectors import place_detectors, save_detectors
from trafficrl.network.signals import Signal
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.state import TrafficState

CITY = cases.city()
SEEN = SignalObservationConfig(
    max_phases=5,
    phase_features=list(LOCAL_PHASE_FEATURES),
    signal_features=list(LOCAL_SIGNAL_FEATURES),
    value_features=list(LOCAL_VALUE_FEATURES),
)
ACTION = ActionConfig(kind=ActionKind.next_phase)
ENCODER = SignalObservations(SEEN, ACTION, CITY, step_s=1.0)
END_S = 240.0
DETECTORS = place_detectors(CITY, 70.0)


@cache
def drive() -> list[tuple[TrafficState, np.ndarray[Any, Any]]]:
    """State, and the phases (S,) that any signal wanted then, allowed or not; every 1 to 3 s."""
    rng, found = np.random.default_rng(3), []
    file = cases.scratch() / "detectors.add.xml"
    save_detectors(DETECTORS, CITY, file)
    scenario = replace(cases.scenario(num_vehicles=300, end_s=END_S), end_s=END_S)
    scenario = replace(scenario, additional_files=(*scenario.additional_files, file))
    with cases.session(scenario) as session:
        reader = StateReader(session, CITY, sample_s=5.0, detectors={70.0: DETECTORS})
        driver = SignalDriver(session, CITY.signals, reader)
        state = driver.start()
        while not driver.finished:
            wanted = np.array([rng.integers(len(signal.phases)) for signal in CITY.signals])
            found.append((state, wanted))
            state = driver.advance(NextPhase(wanted, float(rng.integers(1, 4))))
        found.append((state, wanted))
    return found


def values(state: TrafficState, name: str) -> list[list[float]]:
    """(S, phases or 1) the values of a feature."""
    rows = ENCODER.encode(state)
    columns = [i for i, full in enumerate(ENCODER.names) if full.split(":")[0] == name]
    return [
        row[columns][: len(signal.phases)].tolist()
        for row, signal in zip(rows, CITY.signals, strict=True)
    ]


def green(signal: Signal, phase: int) -> list[int]:
    return [i for i, letter in enumerate(signal.phases[phase].state) if letter in "Gg"]


def lanes(signal: Signal, phase: int, ends: tuple[tuple[str, ...], ...]) -> set[str]:
    return {lane for link in green(signal, phase) for lane in ends[link]}


def behind(stop: set[str]) -> set[str]:
    """Of this city, whose streets have two sections: the lanes of the tail that lead there."""
    return {c.from_lane for c in CITY.connections if c.to_lane in stop and c.signal_id is None}


def sending(stop: set[str], signal: Signal) -> set[str]:
    reached = stop | behind(stop)
    return {
        c.from_lane
        for c in CITY.connections
        if c.to_lane in reached and c.signal_id not in (None, signal.id)
    }


def total(names: set[str], per_lane: np.ndarray[Any, Any]) -> float:
    return float(sum(per_lane[CITY.lane_index[name]] for name in names))


def released(state: TrafficState) -> set[str]:
    return {
        lane
        for signal, phase in zip(CITY.signals, state.phase.tolist(), strict=True)
        for lane in lanes(signal, phase, signal.incoming_lanes)
    }


def expected(state: TrafficState, name: str, signal: Signal, phase: int) -> float:
    stop, ahead = (
        lanes(signal, phase, signal.incoming_lanes),
        lanes(signal, phase, signal.outgoing_lanes),
    )
    there, now = state.now.vehicles_veh, state.phase[CITY.signals.index(signal)] == phase
    room = np.array([max(lane.length_m / 7.5, 1) for lane in CITY.lanes]) - there
    found: dict[str, float] = {
        "phase_queue": total(stop, state.now.queue_veh) / 20,
        "phase_longest_queue": max(total({lane}, state.now.queue_veh) for lane in stop) / 20,
        "phase_vehicles": total(stop, there) / 20,
        "phase_approaching": total(behind(stop), there) / 20,
        "phase_arriving": total(sending(stop, signal) & released(state), there) / 20,
        "phase_released": total(stop & released(state), there) / 20,
        "phase_near": total(stop | behind(stop), state.cells_veh[70.0][0]) / 10,
        "phase_next": total(stop | behind(stop), state.cells_veh[70.0][1]) / 10,
        "phase_waiting": total(stop, state.now.waiting_s) / max(total(stop, there), 1) / 120,
        "phase_delayed": total(stop | behind(stop), state.now.delayed_veh) / 20,
        "phase_downstream": total(ahead, there) / 20,
        "phase_room": total(ahead, np.maximum(room, 0)) / 20,
        "phase_pressure": sum(pressure(lane, there) for lane in stop) / 20,
        "phase_lanes": len(stop) / 4,
        "phase_current": float(now),
    }
    return min(found[name], MOST)


def pressure(lane: str, there: np.ndarray[Any, Any]) -> float:
    ways = [c.to_lane for c in CITY.connections if c.from_lane == lane]
    mean = sum(there[CITY.lane_index[way]] for way in ways) / len(ways)
    return max(float(there[CITY.lane_index[lane]] - mean), 0.0)


@pytest.mark.parametrize("name", LOCAL_PHASE_FEATURES)
def test_a_feature_of_phases_is_its_formula(name: str) -> None:
    seen = set()
    for state, _ in drive()[5::15]:
        for signal, found in zip(CITY.signals, values(state, name), strict=True):
            wanted = [expected(state, name, signal, i) for i in range(len(signal.phases))]
            assert found == pytest.approx(wanted, abs=1e-5)
            seen.update(found)
    assert len(seen) > 1, "nothing was there to be seen"


def around(signal: Signal) -> set[str]:
    stop = {lane for names in signal.incoming_lanes for lane in names}
    return stop | behind(stop)


def neighbours(signal: Signal) -> list[Signal]:
    """Those whose connections lead here, or where ours lead."""
    return [
        other
        for other in CITY.signals
        if other is not signal
        and (reaches(signal, around(other)) or reaches(other, around(signal)))
    ]


def reaches(signal: Signal, there: set[str]) -> bool:
    return any(c.to_lane in there for c in CITY.connections if c.signal_id == signal.id)


@pytest.mark.parametrize("name", LOCAL_SIGNAL_FEATURES)
def test_a_feature_of_signals_is_its_formula(name: str) -> None:
    seen = set()
    for state, _ in drive()[5::15]:
        counts = {"queue": state.now.queue_veh, "vehicles": state.now.vehicles_veh}
        for number, (signal, found) in enumerate(
            zip(CITY.signals, values(state, name), strict=True)
        ):
            age_s = state.phase_age_s[number]
            scope, _, what = name.partition("_")
            if scope in ("signal", "neighbour"):
                own = [signal] if scope == "signal" else neighbours(signal)
                wanted = sum(total(around(one), counts[what]) for one in own) / len(own) / 20
            else:
                wanted = float(age_s < 0) if name == "clearing" else max(age_s, 0) / 120
            assert found == pytest.approx([wanted], abs=1e-5)
            seen.update(found)
    assert len(seen) > 1, "nothing was there to be seen"


@pytest.mark.parametrize("name", LOCAL_VALUE_FEATURES)
def test_a_feature_of_the_network_is_its_formula_and_the_same_for_all(name: str) -> None:
    seen = set()
    for state, _ in drive()[5::15]:
        counts = {"queue": state.now.queue_veh, "vehicles": state.now.vehicles_veh}
        what = name.partition("_")[2]
        wanted = float(state.totals.backlog_veh)
        if what in counts:
            wanted = sum(total(around(signal), counts[what]) for signal in CITY.signals)
        each = [found[0] for found in values(state, name)]
        assert each == pytest.approx([min(wanted / len(CITY.signals) / 20, MOST)] * len(each))
        seen.update(each)
    assert len(seen) > 1, "nothing was there to be seen"


def test_rows_lie_in_their_space_and_are_zero_where_no_phase_is() -> None:
    assert ENCODER.space.shape == (len(CITY.signals), len(ENCODER.names))
    for state, _ in drive():
        rows = ENCODER.encode(state)
        assert ENCODER.space.contains(rows)
        for row, signal in zip(rows, CITY.signals, strict=True):
            exists = [
                value for value, full in zip(row, ENCODER.names, strict=True) if "exists" in full
            ]
            assert exists == [1.0] * len(signal.phases) + [0.0] * (5 - len(signal.phases))
            empty = [f":{place}" for place in range(len(signal.phases), 5)]
            assert not any(
                value
                for value, full in zip(row, ENCODER.names, strict=True)
                if full.endswith(tuple(empty))
            )


def steps() -> Iterator[tuple[np.ndarray[Any, Any], Any, Any, Any]]:
    """For each signal and decision: may be chosen (P,), phase before, wanted and after."""
    for (state, wanted), (following, _) in zip(drive()[:-1], drive()[1:], strict=True):
        mask = ENCODER.encode(state)[:, :5] > 0
        yield from zip(mask, state.phase, wanted, following.phase, strict=True)


def test_what_may_be_chosen_is_what_the_driver_does() -> None:
    """Everything is wanted, also amid minimum greens and clearances."""
    outcomes = set()
    for mask, before, wanted, after in steps():
        assert mask[before]
        assert after == (wanted if mask[wanted] else before)
        outcomes.add((bool(mask[wanted]), bool(wanted == before)))
    assert outcomes == {(True, True), (True, False), (False, False)}


def test_at_the_first_second_everything_may_be_chosen() -> None:
    state, _ = drive()[0]
    sizes = [len(signal.phases) for signal in CITY.signals]
    assert (ENCODER.encode(state)[:, :5] > 0).sum(axis=1).tolist() == sizes


def next_wanted(state: TrafficState, signal: Signal, phase: int) -> int:
    """The phase after that one in the plan; those that no vehicle is before are left out."""
    count = len(signal.phases)
    later = [(phase + step) % count for step in range(1, count + 1)]
    there = state.now.vehicles_veh
    wanted = [p for p in later if total(lanes(signal, p, signal.incoming_lanes), there)]
    return (wanted or later)[0]


def test_in_a_cycle_only_the_next_phase_that_is_waited_for_may_follow() -> None:
    cycle = SignalObservations(SEEN, replace(ACTION, order=PhaseOrder.cycle), CITY, step_s=1.0)
    skips = set()
    for state, _ in drive():
        taken, allowed = (encoder.encode(state)[:, :5] > 0 for encoder in (ENCODER, cycle))
        for index, (signal, now) in enumerate(zip(CITY.signals, state.phase, strict=True)):
            following = next_wanted(state, signal, int(now))
            expected = {int(now), following} & set(np.flatnonzero(taken[index]))
            assert set(np.flatnonzero(allowed[index])) == expected
            skips.add((following - int(now)) % len(signal.phases))
    assert skips == {0, 1, 2, 3}  # of signals with up to four phases


def test_a_signal_with_more_phases_than_there_is_room_for_is_named() -> None:
    cross = next(signal for signal in CITY.signals if len(signal.phases) == 4)
    with pytest.raises(NetworkError) as error:
        SignalObservations(replace(SEEN, max_phases=3), ACTION, CITY, step_s=1.0)
    assert str(error.value) == (
        f"algorithm.observation.max_phases must be >= 4, as many as signal {cross.id} has, got 3"
    )
