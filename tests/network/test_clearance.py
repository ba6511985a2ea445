"""Yellow long enough for the speed limit."""

from dataclasses import replace

import pytest
import traffic_cases as cases

from trafficrl.network.clearance import least_yellow_s, short_yellows


@pytest.mark.parametrize(("speed_kmh", "yellow_s"), [(50, 3), (60, 3.4), (70, 3.8), (80, 4.2)])
def test_yellow_by_speed(speed_kmh: float, yellow_s: float) -> None:
    assert least_yellow_s(speed_kmh / 3.6) == pytest.approx(yellow_s, abs=0.05)


def test_a_signal_with_too_short_a_yellow_is_found() -> None:
    city = cases.city()
    assert short_yellows(city) == {}
    first, *others = city.signals
    hasty = replace(city, signals=(replace(first, yellow_s=2.0), *others))
    assert short_yellows(hasty) == {first.id: pytest.approx(2.98, abs=0.01)}
    bare = replace(city, signals=tuple(replace(s, yellow_s=0.0) for s in city.signals))
    assert short_yellows(bare) == {}
