"""Every feature on a hand-made state, against plain Python over the lanes' own values."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import traffic_cases as cases

from trafficrl.config.observation import (
    EDGE_FEATURES,
    NETWORK_FEATURES,
    PHASE_FEATURES,
    SIGNAL_FEATURES,
    ObservationConfig,
)
from trafficrl.env.observations import ObservationEncoder
from trafficrl.network.model import Edge
from trafficrl.network.signals import Phase, Signal
from trafficrl.simulation.state import Lanes, Totals, TrafficState

CITY = cases.city()
END_S = 1800.0
PHASES = [(signal, phase) for signal in CITY.signals for phase in signal.phases]
MEMBERS = {
    "edge": [edge.id for edge in CITY.edges],
    "phase": [f"{signal.id}/{phase.name}" for signal, phase in PHASES],
    "signal": [signal.id for signal in CITY.signals],
    "network": ["network"],
}


def lanes(seed: int) -> Lanes:
    """Anything that a state may hold: empty lanes, full ones, speeders, standing vehicles."""
    rng = np.random.default_rng(seed)
    count = len(CITY.lanes)
    limit_mps = np.array([lane.speed_mps for lane in CITY.lanes])
    vehicles = rng.integers(0, 4, count).astype(float)
    speed = np.where(vehicles > 0, limit_mps * rng.uniform(0, 1.1, count), limit_mps)
    return Lanes(
        vehicles_veh=vehicles,
        queue_veh=np.minimum(vehicles, rng.integers(0, 3, count)),
        speed_mps=speed,
        waiting_s=vehicles * rng.uniform(0, 40, count),
        delayed_veh=vehicles * np.clip(1 - speed / limit_mps, 0, 1),
    )


def state(**changes: Any) -> TrafficState:
    made = TrafficState(
        time_s=25650.0,
        elapsed_s=450.0,
        interval_s=10.0,
        now=lanes(1),
        mean=lanes(2),
        edge_speeds_mps=lambda: np.zeros((2, 0)),
        totals=Totals(
            running_veh=70,
            backlog_veh=30,
            arrived_veh=55,
            expected_veh=99,
            teleports=2,
            collisions=1,
            emergency_brakings=3,
        ),
        arrived_veh=7,
        mean_backlog_veh=28.25,
        phase=np.array([i % len(signal.phases) for i, signal in enumerate(CITY.signals)]),
        phase_age_s=np.array([-3.0, 0, 5, 30, 60, 119, 120, 300, 12]),
    )
    return replace(made, **changes)


def values_of(scope: str, name: str, given: TrafficState) -> dict[str, float]:
    """The vector of an encoder with that one feature, by the owner in its name."""
    lists: dict[str, Any] = {f"{scope}_features": [name]}
    encoder = ObservationEncoder(ObservationConfig(**lists), CITY, end_s=END_S)
    vector = encoder.encode(given)
    assert vector.dtype == np.float32
    assert len(vector) == encoder.size == len(encoder.names)
    features, owners = zip(*(full.split(":") for full in encoder.names), strict=True)
    assert set(features) == {name}
    return dict(zip(owners, vector.tolist(), strict=True))


# --- the formulas, one lane after the other


def indices(edge: Edge) -> list[int]:
    return [CITY.lane_index[lane.id] for lane in edge.lanes]


def space_veh(index: int) -> float:
    return max(CITY.lanes[index].length_m / 7.5, 1.0)


def edge_speed(edge: Edge, given: Lanes) -> float:
    vehicles = sum(given.vehicles_veh[i] for i in indices(edge))
    if not vehicles:
        return edge.speed_mps
    return float(sum(given.vehicles_veh[i] * given.speed_mps[i] for i in indices(edge)) / vehicles)


def lanes_of(phase: Phase, by_link: tuple[tuple[str, ...], ...]) -> list[int]:
    green = [link for link, letter in enumerate(phase.state) if letter in "Gg"]
    return sorted({CITY.lane_index[lane] for link in green for lane in by_link[link]})


def share(chosen: list[int], given: Any) -> float:
    return float(sum(given[i] for i in chosen) / sum(space_veh(i) for i in chosen))


EDGE: dict[str, Callable[[Edge, TrafficState], float]] = {
    "speed_ratio": lambda e, s: edge_speed(e, s.mean) / e.speed_mps,
    "normalized_density": lambda e, s: (
        sum(s.now.vehicles_veh[i] for i in indices(e)) / sum(space_veh(i) for i in indices(e))
    ),
    "normalized_queue": lambda e, s: (
        sum(s.now.queue_veh[i] for i in indices(e)) / sum(space_veh(i) for i in indices(e))
    ),
    "normalized_flow": lambda e, s: (
        sum(s.mean.vehicles_veh[i] * s.mean.speed_mps[i] for i in indices(e))
        / e.length_m
        * 3600
        / 2000
    ),
    "congestion_flag": lambda e, s: float(sum(s.now.waiting_s[i] for i in indices(e)) > 30),
    "is_bottleneck": lambda e, s: float(edge_speed(e, s.mean) < 0.58 * e.speed_mps),
    "normalized_time_loss": lambda e, s: (
        sum(s.mean.delayed_veh[i] for i in indices(e)) * s.interval_s / 600
    ),
}
PHASE: dict[str, Callable[[Signal, Phase, TrafficState], float]] = {
    "phase_queue": lambda g, p, s: share(lanes_of(p, g.incoming_lanes), s.now.queue_veh),
    "phase_vehicles": lambda g, p, s: share(lanes_of(p, g.incoming_lanes), s.now.vehicles_veh),
    "phase_downstream": lambda g, p, s: share(lanes_of(p, g.outgoing_lanes), s.now.vehicles_veh),
    "phase_waiting": lambda g, p, s: (
        sum(s.now.waiting_s[i] for i in lanes_of(p, g.incoming_lanes))
        / max(sum(s.now.vehicles_veh[i] for i in lanes_of(p, g.incoming_lanes)), 1)
        / 120
    ),
}
NETWORK: dict[str, Callable[[TrafficState], float]] = {
    "bottleneck_ratio": lambda s: (
        sum(edge_speed(e, s.mean) < 0.58 * e.speed_mps for e in CITY.edges) / len(CITY.edges)
    ),
    "vehicles_normalized": lambda s: 70 / sum(space_veh(i) for i in range(len(CITY.lanes))),
    "avg_speed_normalized": lambda s: (
        sum(v * speed for v, speed in zip(s.mean.vehicles_veh, s.mean.speed_mps, strict=True))
        / sum(s.mean.vehicles_veh)
        / 13.89
    ),
    "backlog_normalized": lambda s: 30 / sum(space_veh(i) for i in range(len(CITY.lanes))),
    "time_normalized": lambda s: 450 / 1800,
}


def cut(values: dict[str, float]) -> Any:
    return pytest.approx({name: min(max(v, 0.0), 1.0) for name, v in values.items()}, abs=1e-6)


@pytest.mark.parametrize("name", EDGE_FEATURES)
def test_a_feature_of_edges(name: str) -> None:
    given = state()
    expected = {edge.id: EDGE[name](edge, given) for edge in CITY.edges}
    assert values_of("edge", name, given) == cut(expected)
    assert len(set(expected.values())) > 1


@pytest.mark.parametrize("name", PHASE_FEATURES)
def test_a_feature_of_phases(name: str) -> None:
    given = state()
    expected = {f"{g.id}/{p.name}": PHASE[name](g, p, given) for g, p in PHASES}
    assert values_of("phase", name, given) == cut(expected)
    assert len(set(expected.values())) > 1


@pytest.mark.parametrize("name", NETWORK_FEATURES)
def test_a_feature_of_the_network(name: str) -> None:
    given = state()
    assert values_of("network", name, given) == cut({"network": NETWORK[name](given)})
    assert 0 < NETWORK[name](given) < 1


def test_the_current_phase_is_one_and_all_others_nought() -> None:
    given = state()
    current = {
        f"{signal.id}/{signal.phases[phase].name}"
        for signal, phase in zip(CITY.signals, given.phase, strict=True)
    }
    expected = {name: float(name in current) for name in MEMBERS["phase"]}
    assert values_of("signal", "current_phase", given) == expected


def test_the_age_of_a_phase_is_cut_at_two_minutes() -> None:
    ages = values_of("signal", "phase_age", state())
    assert list(ages) == MEMBERS["signal"]
    assert list(ages.values()) == pytest.approx([0, 0, 5 / 120, 0.25, 0.5, 119 / 120, 1, 1, 0.1])


def test_an_empty_network_is_free() -> None:
    nought = np.zeros(len(CITY.lanes))
    limits_mps = np.array([lane.speed_mps for lane in CITY.lanes])
    nobody = Lanes(nought, nought, limits_mps, nought, nought)
    given = state(now=nobody, mean=nobody, interval_s=0.0)
    for name in EDGE_FEATURES:
        expected = 1.0 if name == "speed_ratio" else 0.0
        assert set(values_of("edge", name, given).values()) == {expected}
    assert values_of("network", "avg_speed_normalized", given) == pytest.approx({"network": 1.0})


ALL = ObservationConfig(
    edge_features=list(EDGE_FEATURES),
    phase_features=list(PHASE_FEATURES),
    signal_features=list(SIGNAL_FEATURES),
    network_features=list(NETWORK_FEATURES),
)


def test_names_are_unique_and_follow_the_configuration() -> None:
    encoder = ObservationEncoder(ALL, CITY, end_s=END_S)
    assert len(set(encoder.names)) == encoder.size
    scopes = [("edge", n) for n in EDGE_FEATURES] + [("phase", n) for n in PHASE_FEATURES]
    scopes += [("phase" if n == "current_phase" else "signal", n) for n in SIGNAL_FEATURES]
    scopes += [("network", n) for n in NETWORK_FEATURES]
    assert encoder.names == [f"{n}:{owner}" for scope, n in scopes for owner in MEMBERS[scope]]


def test_another_order_moves_the_same_values() -> None:
    turned = replace(
        ALL,
        edge_features=ALL.edge_features[::-1],
        phase_features=ALL.phase_features[::-1],
        signal_features=ALL.signal_features[::-1],
        network_features=ALL.network_features[::-1],
    )
    encoders = [ObservationEncoder(config, CITY, end_s=END_S) for config in (ALL, turned)]
    one, other = (
        dict(zip(encoder.names, encoder.encode(state()).tolist(), strict=True))
        for encoder in encoders
    )
    assert one == other
    assert encoders[0].names != encoders[1].names


def test_everything_lies_in_bounds() -> None:
    vector = ObservationEncoder(ALL, CITY, end_s=END_S).encode(state(elapsed_s=9000.0))
    assert np.isfinite(vector).all()
    assert (vector.min(), vector.max()) == (0.0, 1.0)


@pytest.mark.parametrize("signal_features", [["current_phase", "phase_age"], ["phase_age"], []])
def test_columns_of_a_phase_are_its_own_and_its_signals(signal_features: list[str]) -> None:
    config = replace(ALL, signal_features=signal_features)
    encoder = ObservationEncoder(config, CITY, end_s=END_S)
    columns = encoder.phase_columns
    own = [*PHASE_FEATURES, *[n for n in signal_features if n == "current_phase"]]
    of_signal = [n for n in signal_features if n != "current_phase"]
    assert columns.shape == (len(PHASES), len(own) + len(of_signal))
    for (signal, phase), row in zip(PHASES, columns, strict=True):
        expected = [f"{name}:{signal.id}/{phase.name}" for name in own]
        expected += [f"{name}:{signal.id}" for name in of_signal]
        assert [encoder.names[column] for column in row] == expected


def test_each_phase_knows_its_signal() -> None:
    encoder = ObservationEncoder(ALL, CITY, end_s=END_S)
    assert {len(signal.phases) for signal in CITY.signals} == {3, 4}
    owners = [CITY.signals[index].id for index in encoder.signal_of_phase]
    assert owners == [signal.id for signal, _ in PHASES]
