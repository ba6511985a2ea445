"""What an onlooker sees is what SUMO has, and changes nothing."""

import numpy as np
import pytest
from traffic_cases import scenario, session

from trafficrl.config.execution import Backend
from trafficrl.simulation.state import FloatArray

STEPS = 60


def seen(backend: Backend) -> tuple[list[FloatArray], dict[str, tuple[float, ...]]]:
    """The vehicles after each of the last steps, and SUMO's own answers after the very last."""
    found = []
    with session(scenario(), backend=backend) as running:
        for step in range(STEPS):
            running.step()
            if step == STEPS // 2:
                sights = running.sights()
            if step >= STEPS // 2:
                found.append(sights.vehicles())
        vehicle = running._running.api.vehicle
        asked = {
            name: (
                *vehicle.getPosition(name),
                vehicle.getSpeed(name),
                vehicle.getAngle(name),
                vehicle.getLength(name),
            )
            for name in sorted(vehicle.getIDList())
        }
    return found, asked


@pytest.mark.parametrize("backend", list(Backend))
def test_every_vehicle_is_seen_where_it_is(backend: Backend) -> None:
    found, asked = seen(backend)
    assert len(found) == STEPS // 2
    assert pytest.approx(np.array(list(asked.values()))) == found[-1].T
    assert found[-1].shape[1] > 10
    assert {one.shape[0] for one in found} == {5}


def test_both_backends_show_the_same() -> None:
    here, there = seen(Backend.libsumo)[0], seen(Backend.traci)[0]
    for one, other in zip(here, there, strict=True):
        assert one == pytest.approx(other)


def test_nobody_drives_otherwise_for_being_seen() -> None:
    _, asked = seen(Backend.libsumo)
    with session(scenario()) as running:
        for _ in range(STEPS):
            running.step()
        vehicle = running._running.api.vehicle
        unseen = {name: vehicle.getPosition(name) for name in sorted(vehicle.getIDList())}
    assert {name: values[:2] for name, values in asked.items()} == unseen


def test_an_empty_network_shows_nobody() -> None:
    with session(scenario()) as running:
        assert running.sights().vehicles().shape == (5, 0)
