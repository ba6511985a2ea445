"""What a step of training takes is told apart by its parts."""

import time

import pytest

from trafficrl.training.step_times import StepTimes


def test_a_slow_step_is_seen_in_the_rollout_and_not_in_the_update() -> None:
    times = StepTimes()
    assert times.median_ms() == {}
    assert times.steps_per_s() is None
    for _ in range(3):
        with times.timed("rollout", steps=4):
            time.sleep(0.08)
        with times.timed("update", steps=4):
            pass
    found = times.median_ms()
    assert found["rollout"] >= 20.0
    assert 0.0 <= found["update"] < found["rollout"]
    assert times.steps_per_s() == pytest.approx(1000 / sum(found.values()), abs=1e-3)


def test_a_part_that_was_cut_is_not_counted() -> None:
    times = StepTimes()
    with pytest.raises(KeyboardInterrupt), times.timed("rollout", steps=1):
        raise KeyboardInterrupt
    assert times.median_ms() == {}
