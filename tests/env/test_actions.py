"""Actions: every one of the space is a lawful command, and each command has its action."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trafficrl.config.algorithm import ActionConfig, ActionKind
from trafficrl.env.actions import (
    LOGIT_LIMIT,
    NextPhaseAction,
    PhaseDurationsAction,
    build_action,
)
from trafficrl.errors import ConfigError, NetworkError
from trafficrl.network.model import Network
from trafficrl.network.signals import Phase, Signal
from trafficrl.simulation.state import FloatArray

CITY = cases.city()


def signal(name: str, num_phases: int, **changes: Any) -> Signal:
    values = {"yellow_s": 3.0, "all_red_s": 2.0, "min_green_s": 5.0}
    phases = tuple(Phase(f"p{i}", "r" * i + "G", 10.0) for i in range(num_phases))
    return Signal(
        id=name, phases=phases, incoming_lanes=(), outgoing_lanes=(), **(values | changes)
    )


def network_of(*signals: Signal) -> Network:
    return replace(CITY, signals=signals)


def durations(
    network: Network, *, cycle_s: float = 90.0, step_s: float = 1.0
) -> PhaseDurationsAction:
    config = ActionConfig(kind=ActionKind.phase_durations, cycle_s=cycle_s)
    return PhaseDurationsAction(config, network, step_s)


STEPS_S = st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0])
SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@st.composite
def signals_and_clock(draw: st.DrawFn) -> tuple[list[Signal], float, float]:
    """Signals of all sizes with clearances of their own; a cycle and a step that fit them."""
    step_s = draw(STEPS_S)
    signals = [
        signal(
            f"S{index}",
            size,
            yellow_s=draw(st.integers(0, 5)) * step_s,
            all_red_s=draw(st.integers(0, 3)) * step_s,
            min_green_s=draw(st.integers(1, 10)) * step_s,
        )
        for index, size in enumerate(draw(SIZES))
    ]
    shortest = max(len(s.phases) * (s.clearance_s + s.min_green_s) for s in signals)
    fewest = max(round(shortest / step_s), round(10 / step_s))
    cycle_s = draw(st.integers(fewest, min(fewest + 300, round(600 / step_s)))) * step_s
    return signals, cycle_s, step_s


def check_fills(green_s: FloatArray, network: Network, *, cycle_s: float, step_s: float) -> None:
    for row, one in zip(green_s, network.signals, strict=True):
        greens = row[: len(one.phases)]
        assert (row[len(one.phases) :] == 0).all()
        assert greens.sum() + len(greens) * one.clearance_s == pytest.approx(cycle_s, abs=1e-9)
        assert (greens >= one.min_green_s - 1e-12).all()
        assert greens / step_s == pytest.approx(np.rint(greens / step_s), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(signals_and_clock(), st.data())
def test_every_action_fills_the_cycle_in_whole_steps(
    setting: tuple[list[Signal], float, float], data: st.DataObject
) -> None:
    signals, cycle_s, step_s = setting
    network = network_of(*signals)
    decoder = durations(network, cycle_s=cycle_s, step_s=step_s)
    limits = st.floats(-LOGIT_LIMIT, LOGIT_LIMIT, width=32)
    action = data.draw(arrays(np.float32, decoder.space.shape or (), elements=limits))
    assert decoder.space.contains(action)
    command = decoder.decode(action)
    assert command.cycle_s == cycle_s
    check_fills(command.green_s, network, cycle_s=cycle_s, step_s=step_s)


@settings(max_examples=100, deadline=None)
@given(signals_and_clock(), st.data())
def test_durations_come_back_from_their_action(
    setting: tuple[list[Signal], float, float], data: st.DataObject
) -> None:
    """Any whole-step greens that fill the cycle, drawn as cuts of what each signal has to share."""
    signals, cycle_s, step_s = setting
    network = network_of(*signals)
    green_s = np.zeros((len(network.signals), max(len(s.phases) for s in network.signals)))
    for row, one in zip(green_s, network.signals, strict=True):
        count = len(one.phases)
        free = round((cycle_s - count * (one.clearance_s + one.min_green_s)) / step_s)
        cuts = sorted(
            data.draw(st.lists(st.integers(0, free), min_size=count - 1, max_size=count - 1))
        )
        row[:count] = one.min_green_s + np.diff([0, *cuts, free]) * step_s
    decoder = durations(network, cycle_s=cycle_s, step_s=step_s)
    action = decoder.encode(green_s)
    assert decoder.space.contains(action)
    assert decoder.decode(action).green_s == pytest.approx(green_s, abs=1e-9)
    assert np.array_equal(decoder.encode(decoder.decode(action).green_s), decoder.encode(green_s))


def test_equal_numbers_are_equal_greens() -> None:
    decoder = durations(network_of(signal("A", 3), signal("B", 4), signal("C", 2)))
    green_s = decoder.decode(np.full(9, 3.0, dtype=np.float32)).green_s
    assert green_s.tolist() == [[25, 25, 25, 0], [18, 18, 17, 17], [40, 40, 0, 0]]


def test_one_number_far_above_the_others_takes_all_that_is_free() -> None:
    decoder = durations(network_of(signal("A", 3), signal("B", 2)))
    action = np.array([-10, 10, -10, 0, 0], dtype=np.float32)
    assert decoder.decode(action).green_s.tolist() == [[5, 65, 5], [40, 40, 0]]


def test_a_cycle_with_nothing_to_share_has_one_answer() -> None:
    network = network_of(signal("A", 4), signal("B", 2))
    decoder = durations(network, cycle_s=40.0)
    command = decoder.decode(np.array([9, -9, 0, 1, 2, 3], dtype=np.float32))
    assert command.green_s[0].tolist() == [5, 5, 5, 5]
    assert np.array_equal(decoder.decode(decoder.encode(command.green_s)).green_s, command.green_s)


def test_a_cycle_that_is_too_short_names_the_signal_and_what_it_needs() -> None:
    network = network_of(signal("A", 3), signal("B", 4))
    with pytest.raises(ConfigError, match=r"cycle_s 39 \[s\] .*signal B: 4 phases need >= 40"):
        durations(network, cycle_s=39.0)


def test_a_network_without_signals_is_refused() -> None:
    for config in (cases.NEXT_PHASE, cases.DURATIONS):
        with pytest.raises(NetworkError, match="no signal"):
            build_action(config, network_of(), 1.0)


def test_phases_go_through_as_they_are() -> None:
    network = network_of(signal("A", 3), signal("B", 4))
    decoder = build_action(cases.NEXT_PHASE, network, 1.0)
    assert isinstance(decoder, NextPhaseAction)
    assert isinstance(decoder.space, spaces.MultiDiscrete)
    assert decoder.space.nvec.tolist() == [3, 4]
    command = decoder.decode(decoder.encode(np.array([2, 3])))
    assert (command.phase.tolist(), command.interval_s) == ([2, 3], 10)


def test_the_configuration_chooses_the_kind() -> None:
    decoder = build_action(cases.DURATIONS, CITY, 1.0)
    assert isinstance(decoder, PhaseDurationsAction)
    assert decoder.space.shape == (sum(len(s.phases) for s in CITY.signals),)
