"""Which lanes wait for a phase and where it leads, against the connections of the net itself."""

import numpy as np
import pytest

from trafficrl.network.approaches import controlled_lanes, downstream_lanes, waiting_lanes
from trafficrl.network.model import Network

Pairs = list[tuple[str, set[str]]]


def links(network: Network, signal_id: str) -> dict[int, list[tuple[str, str]]]:
    """Link index -> (from lane, to lane) as the net's connections say."""
    found: dict[int, list[tuple[str, str]]] = {}
    for connection in network.connections:
        if connection.signal_id == signal_id:
            found.setdefault(connection.link_index, []).append(
                (connection.from_lane, connection.to_lane)
            )
    return found


def lanes_of(network: Network, row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> set[str]:
    return {lane.id for lane, chosen in zip(network.lanes, row, strict=True) if chosen == 1.0}


def expected(network: Network, end: int) -> Pairs:
    """Signal/phase, and the lanes at that end of the links that it makes green."""
    return [
        (
            f"{signal.id}/{phase.name}",
            {
                pair[end]
                for link, letter in enumerate(phase.state)
                if letter.lower() == "g"
                for pair in links(network, signal.id)[link]
            },
        )
        for signal in network.signals
        for phase in signal.phases
    ]


def test_waiting_lanes_end_at_a_green_link(city: Network) -> None:
    mask = waiting_lanes(city)
    pairs = expected(city, 0)
    assert mask.shape == (len(pairs), len(city.lanes))
    assert [lanes_of(city, row) for row in mask] == [lanes for _, lanes in pairs]
    assert mask.sum() == sum(len(lanes) for _, lanes in pairs)
    assert all(lanes for _, lanes in pairs)


def test_downstream_lanes_begin_behind_a_green_link(city: Network) -> None:
    pairs = expected(city, 1)
    assert [lanes_of(city, row) for row in downstream_lanes(city)] == [lanes for _, lanes in pairs]


def test_controlled_lanes_are_those_that_wait_for_some_phase(city: Network) -> None:
    controlled = controlled_lanes(city)
    assert np.array_equal(controlled, waiting_lanes(city).any(axis=0))
    heads = {connection.from_lane for connection in city.connections if connection.signal_id}
    assert lanes_of(city, controlled) == heads
    assert len(heads) < len(city.lanes)


def test_tails_wait_for_no_phase(realistic: Network) -> None:
    tails = {street.tail for street in realistic.streets if street.tail not in street.heads}
    assert tails
    lanes = [lane.id in {f"{t}_{i}" for t in tails for i in range(5)} for lane in realistic.lanes]
    assert not waiting_lanes(realistic)[:, lanes].any()


def test_one_phase_of_each_signal_is_green_at_a_time(realistic: Network) -> None:
    """With separate turn lanes no lane waits for two phases of its signal."""
    assert waiting_lanes(realistic).sum(axis=0).max() == pytest.approx(1.0)
