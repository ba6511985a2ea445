"""The tree method as a controller: one signal's cycles, then whole episodes through SUMO."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import libsumo
import numpy as np
import pytest
import traffic_cases as cases
from hypothesis import given
from hypothesis import strategies as st
from tree_cases import ORIGINAL_STYLE, edge, network, signal

from trafficrl.config.tree_method import (
    ORIGINAL,
    PREDECESSOR,
    PRESETS,
    Clamp,
    DurationRule,
    SpeedMean,
    TreeMethodConfig,
)
from trafficrl.control.commands import NextPhase, PhaseDurations
from trafficrl.control.driver import SignalDriver
from trafficrl.control.tree_method.controller import TreeMethod
from trafficrl.control.tree_method.signal_plan import SignalPlan
from trafficrl.control.tree_method.speeds import vehicle_mean_speeds
from trafficrl.errors import ConfigError, NetworkError
from trafficrl.network.model import Edge, Network
from trafficrl.simulation.reader import StateReader
from trafficrl.simulation.state import FloatArray, Lanes, TrafficState

CORRECTED = TreeMethodConfig()
STATES = ("Grrr", "rGrr", "rrGr", "rrrG")


def quarters(config: TreeMethodConfig) -> SignalPlan:
    return SignalPlan(signal("S", STATES), config, step_s=1.0)


# --- one signal


def test_without_clearance_durations_are_greens() -> None:
    for config in (ORIGINAL, PREDECESSOR, CORRECTED):
        one = quarters(config)
        assert one.greens_s() == [23, 22, 23, 22]
        one.adapt([20, 15, 15, 10])
        assert one.durations_s == one.greens_s() == [25, 23, 22, 20]


def test_clearance_is_part_of_a_duration() -> None:
    one = SignalPlan(
        signal("S", STATES, [38, 12, 12, 8], yellow_s=3.0, all_red_s=2.0), CORRECTED, step_s=1.0
    )
    assert one.durations_s == [43, 17, 17, 13]
    one.adapt([5, 1, 1, 1])
    assert one.durations_s == [46, 16, 16, 12]
    assert one.greens_s() == [41, 11, 11, 7]


def test_the_original_is_shown_as_far_as_its_cycle_goes() -> None:
    one = quarters(ORIGINAL)
    one.adapt([50, 10, 0, 0])
    assert one.durations_s == [31.5, 23, 18, 18]
    assert one.greens_s() == [32, 23, 18, 17]


def test_the_original_passes_over_a_duration_that_is_none() -> None:
    one = SignalPlan(signal("S", STATES, [23, 23, 22, 22]), ORIGINAL, step_s=1.0)
    one.adapt([-40, 30, 0, 0])
    assert one.durations_s == [23, 106, 101, 101]
    assert one.greens_s() == [23, 57, 5, 5]


@pytest.mark.parametrize("config", [PREDECESSOR, CORRECTED])
def test_what_ends_in_no_predecessor_ends_here(config: TreeMethodConfig) -> None:
    one = quarters(config)
    one.adapt([50, 10, 0, 0])
    assert one.durations_s == one.greens_s() == [31, 23, 18, 18]


def test_a_plan_of_another_cycle_is_scaled() -> None:
    one = SignalPlan(signal("S", STATES[:3], [30, 20, 10]), CORRECTED, step_s=1.0)
    assert one.durations_s == [45, 30, 15]


def test_one_phase_has_the_whole_cycle() -> None:
    one = SignalPlan(signal("S", ["G"], yellow_s=3.0), CORRECTED, step_s=1.0)
    one.adapt([17.0])
    assert one.greens_s() == [87]


def test_durations_of_the_last_episode_are_forgotten() -> None:
    one = quarters(CORRECTED)
    one.adapt([100, 0, 0, 0])
    one.reset()
    assert one.durations_s == [22.5] * 4


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (DurationRule.baby_steps, [30, 26, 17, 17]),
        (DurationRule.naive, [43, 27, 10, 10]),
        (DurationRule.uniform, [22, 22, 23, 23]),
        (DurationRule.planned, [23, 22, 23, 22]),
    ],
)
def test_duration_rules(rule: DurationRule, expected: list[float]) -> None:
    one = quarters(replace(CORRECTED, duration_rule=rule))
    one.adapt([30, 15, 0, 0])
    assert one.greens_s() == expected


def test_uniform_in_the_original_cuts_the_last_phase() -> None:
    one = quarters(replace(ORIGINAL, duration_rule=DurationRule.uniform))
    one.adapt([0, 0, 0, 0])
    assert one.greens_s() == [23, 23, 23, 21]


def test_a_minimum_that_does_not_fit_is_an_equal_share() -> None:
    eight = signal("S", STATES * 2, yellow_s=3.0)
    assert SignalPlan(eight, replace(CORRECTED, interval_s=72.0), step_s=1.0).min_phase_s == 9
    assert SignalPlan(eight, CORRECTED, step_s=1.0).min_phase_s == 10
    assert SignalPlan(eight, replace(CORRECTED, min_phase_s=4.0), step_s=1.0).min_phase_s == 8


def test_a_cycle_without_room_is_refused() -> None:
    eight = signal("S", STATES * 2, yellow_s=3.0, all_red_s=2.0)
    with pytest.raises(ConfigError) as error:
        SignalPlan(eight, replace(CORRECTED, interval_s=79.0), step_s=1.0)
    assert str(error.value) == (
        "controller.*.interval_s 79 [s] is too short for signal S: 8 phases need >= 80"
    )
    assert SignalPlan(eight, replace(CORRECTED, interval_s=80.0), step_s=1.0).greens_s() == [5] * 8


CONFIGS = st.builds(
    TreeMethodConfig,
    interval_s=st.sampled_from([90.0, 120.0, 300.0]),
    min_phase_s=st.sampled_from([5.0, 10.0, 37.5]),
    duration_rule=st.sampled_from(
        [DurationRule.baby_steps, DurationRule.naive, DurationRule.uniform]
    ),
    clamp=st.sampled_from(Clamp),
)


@given(
    config=CONFIGS,
    planned=st.lists(st.floats(1, 80), min_size=1, max_size=8),
    yellow_s=st.sampled_from([0.0, 2.5, 3.0]),
    min_green_s=st.sampled_from([1.0, 5.0, 7.5]),
    step_s=st.sampled_from([0.5, 1.0]),
    costs=st.lists(st.lists(st.floats(-300, 3000), min_size=8, max_size=8), min_size=1, max_size=5),
)
def test_whatever_congestion_costs_every_green_is_valid(
    *,
    config: TreeMethodConfig,
    planned: Sequence[float],
    yellow_s: float,
    min_green_s: float,
    step_s: float,
    costs: Sequence[Sequence[float]],
) -> None:
    count = len(planned)
    lit = signal(
        "S",
        STATES * 2,
        [*planned, *[10.0] * (8 - count)],
        yellow_s=yellow_s,
        min_green_s=min_green_s,
    )
    lit = replace(lit, phases=lit.phases[:count])
    if config.interval_s < count * 11:
        return
    one = SignalPlan(lit, config, step_s=step_s)
    for row in costs:
        one.adapt(row[:count])
        greens = one.greens_s()
        assert sum(greens) + count * yellow_s == pytest.approx(config.interval_s)
        assert min(greens) >= min_green_s - 1e-9
        for green in greens:
            steps = (green + yellow_s) / step_s
            assert steps == pytest.approx(round(steps))
        if config.clamp is Clamp.predecessor:
            assert min(one.durations_s) >= one.min_phase_s - 1e-9
            assert sum(one.durations_s) == pytest.approx(config.interval_s)


# --- the controller


def lanes_at(of: Network, speeds_kmh: dict[str, float], vehicles: dict[str, float]) -> Lanes:
    """Speeds by edge (otherwise free flow) and vehicles by lane."""
    speed = np.array(
        [
            speeds_kmh.get(edge.id, lane.speed_mps * 3.6) / 3.6
            for edge in of.edges
            for lane in edge.lanes
        ]
    )
    veh = np.array([vehicles.get(lane.id, 0.0) for lane in of.lanes])
    nothing = np.zeros(len(of.lanes))
    return Lanes(veh, nothing, speed, nothing, nothing)


def state_of(of: Network, speeds_kmh: dict[str, float], vehicles: dict[str, float]) -> TrafficState:
    with cases.session(cases.scenario()) as session:
        reader = StateReader(session, cases.city(), sample_s=5.0)
        at_start = reader.read(np.zeros(9, dtype=np.int64), np.zeros(9))
    return replace(at_start, interval_s=90.0, mean=lanes_at(of, speeds_kmh, vehicles))


JAM = {"in": 10.0}
ON = {"in_0": 4.0, "in_1": 4.0, "in_left_0": 3.0, "in_straight_0": 6.0, "in_slip_0": 1.0}


def test_a_jam_is_paid_for_by_the_phases_that_serve_it() -> None:
    """By hand: 73 veh/km/lane at 10 km/h, 54.75 veh in 1.5 min, 1.2 - 0.414 min lost by each."""
    controller = TreeMethod(ORIGINAL_STYLE, CORRECTED, step_s=1.0)
    (costs,) = controller.measure(state_of(ORIGINAL_STYLE, JAM, ON))
    cost = 43
    left, straight = cost * 3 / 10, cost * 6 / 10
    assert costs == pytest.approx([straight + left / 2, left / 2, 0.0])


def test_green_goes_to_the_jam() -> None:
    controller = TreeMethod(ORIGINAL_STYLE, CORRECTED, step_s=1.0)
    before = state_of(ORIGINAL_STYLE, JAM, ON)
    first = controller.decide(replace(before, interval_s=0.0))
    assert isinstance(first, PhaseDurations)
    assert first.cycle_s == 90
    assert first.green_s.tolist() == [[30, 30, 30]]
    second = controller.decide(state_of(ORIGINAL_STYLE, JAM, ON))
    assert isinstance(second, PhaseDurations)
    assert second.green_s.tolist() == [[37, 28, 25]]
    assert controller.begin(cases.scenario(), 1) == ()
    again = controller.decide(replace(before, interval_s=0.0))
    assert isinstance(again, PhaseDurations)
    assert again.green_s.tolist() == [[30, 30, 30]]


def test_a_jam_costs_the_signals_that_it_reaches_back_to() -> None:
    """Both streets are trunks: the rear one alone, the front one with half of the rear one."""
    two = network(
        [edge("a", "A", "S", 200.0), edge("b", "S", "R", 200.0), edge("c", "R", "E", 200.0)],
        [("a_0", "b_0", "S", 0), ("b_0", "c_0", "R", 0)],
        {"S": ("G", "r"), "R": ("G", "r")},
    )
    controller = TreeMethod(two, CORRECTED, step_s=1.0)
    slow = {"a": 10.0, "b": 10.0}
    first, second = controller.measure(state_of(two, slow, {"a_0": 5.0, "b_0": 5.0}))
    assert first[0] > 0
    assert second[0] == pytest.approx(3 * first[0])
    assert (first[1], second[1]) == (0, 0)


def test_speeds_by_seconds_are_what_is_measured() -> None:
    measured: FloatArray = np.array([edge.speed_mps for edge in ORIGINAL_STYLE.edges])
    config = replace(CORRECTED, speed_mean=SpeedMean.seconds)
    controller = TreeMethod(ORIGINAL_STYLE, config, step_s=1.0)
    free = measured.copy()
    state = state_of(ORIGINAL_STYLE, JAM, ON)
    jammed = replace(state, edge_speeds_mps=lambda: np.stack([measured, free]))
    assert controller.measure(jammed) == [[0, 0, 0]]
    measured[0] = 10 / 3.6
    vehicle_mean = TreeMethod(ORIGINAL_STYLE, CORRECTED, step_s=1.0)
    assert controller.measure(jammed) == vehicle_mean.measure(jammed) != [[0, 0, 0]]
    config = replace(CORRECTED, speed_mean=SpeedMean.seconds_by_lanes)
    by_lanes = TreeMethod(ORIGINAL_STYLE, config, step_s=1.0)
    assert by_lanes.measure(jammed) == [[0, 0, 0]]
    jammed = replace(state, edge_speeds_mps=lambda: np.stack([free, measured]))
    assert by_lanes.measure(jammed) != [[0, 0, 0]]


def test_the_speed_of_an_edge_is_that_of_its_vehicles() -> None:
    state = state_of(ORIGINAL_STYLE, {}, {"in_0": 1.0, "in_1": 3.0})
    state.mean.speed_mps[:2] = [4.0, 8.0]
    speeds = vehicle_mean_speeds(ORIGINAL_STYLE)(state)
    assert speeds[0] == 7.0
    assert set(speeds[1:]) == {13.89}


def test_random_phases_follow_from_the_seed_of_the_episode() -> None:
    config = replace(CORRECTED, duration_rule=DurationRule.random)
    state = state_of(ORIGINAL_STYLE, {}, {})

    def episode(controller: TreeMethod, seed: int) -> list[int]:
        controller.begin(cases.scenario(), seed)
        commands = [controller.decide(state) for _ in range(60)]
        assert all(isinstance(c, NextPhase) and c.interval_s == 10 for c in commands)
        return [int(c.phase[0]) for c in commands if isinstance(c, NextPhase)]

    one = TreeMethod(ORIGINAL_STYLE, config, step_s=1.0)
    first = episode(one, 1)
    assert episode(one, 1) == first
    assert set(first) == {0, 1, 2}
    assert episode(one, 2) != first


def test_intervals_are_whole_steps() -> None:
    with pytest.raises(ConfigError) as error:
        TreeMethod(ORIGINAL_STYLE, CORRECTED, step_s=4.0)
    assert str(error.value) == (
        "controller.*.interval_s must be a multiple of network.step_length 4 [s], got 90"
    )
    with pytest.raises(ConfigError, match=r"sample_s must be a multiple .*, got 2\.5"):
        TreeMethod(ORIGINAL_STYLE, replace(CORRECTED, sample_s=2.5), step_s=1.0)


def test_a_network_without_signals_is_refused() -> None:
    with pytest.raises(NetworkError, match="no signal to control"):
        TreeMethod(replace(ORIGINAL_STYLE, signals=()), CORRECTED, step_s=1.0)


# --- through SUMO


class SecondsReader(StateReader):
    """Notes every second the mean speed of each edge: its vehicles' one by one, and SUMO's own."""

    def watch(self, edges: Sequence[Edge]) -> None:
        self._edges = edges
        self._seconds: list[list[tuple[float, float]]] = []
        self.mean_mps: FloatArray = np.zeros((len(edges), 2))

    def tick(self) -> None:
        super().tick()
        self._seconds.append(
            [
                (of_vehicles(edge), libsumo.edge.getLastStepMeanSpeed(edge.id))
                for edge in self._edges
            ]
        )

    def read(self, *args: Any) -> TrafficState:
        if self._seconds:
            self.mean_mps = np.mean(self._seconds, axis=0)
            self._seconds.clear()
        return super().read(*args)


def of_vehicles(edge: Edge) -> float:
    driving = libsumo.edge.getLastStepVehicleIDs(edge.id)
    speeds = [libsumo.vehicle.getSpeed(name) for name in driving]
    return float(np.mean(speeds)) if speeds else edge.speed_mps


@pytest.mark.parametrize("preset", PRESETS)
def test_an_episode_ends_and_every_green_is_valid(preset: str) -> None:
    city = cases.city()
    heavy = cases.scenario(500, 600.0)
    commands: list[PhaseDurations] = []
    with cases.session(heavy) as session:
        reader = SecondsReader(session, city, sample_s=1.0)
        reader.watch(city.edges)
        driver = SignalDriver(session, city.signals, reader)
        controller = TreeMethod(city, PRESETS[preset], step_s=1.0)
        state = driver.start()
        while not driver.finished:
            command = controller.decide(state)
            assert isinstance(command, PhaseDurations)
            commands.append(command)
            state = driver.advance(command)
            assert np.allclose(state.edge_speeds_mps().T, reader.mean_mps)
    assert (len(commands), state.time_s) == (7, 600)
    assert state.totals.arrived_veh > 100
    for command in commands:
        for one, row in zip(city.signals, command.green_s, strict=True):
            greens = row[: len(one.phases)]
            assert greens.sum() + len(greens) * one.clearance_s == 90
            assert greens.min() >= one.min_green_s
            assert not row[len(one.phases) :].any()
            assert np.array_equal(greens, np.rint(greens))
    assert not np.array_equal(commands[-1].green_s, commands[0].green_s)
    over_vehicles, by_lanes = state.edge_speeds_mps()
    assert (over_vehicles < by_lanes - 0.1).any(), "no lane was empty"
