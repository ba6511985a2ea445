"""What ranks the models of a training: rules over the episodes of its validation."""

from dataclasses import replace

import pytest
from result_cases import results

from trafficrl.app.judging import validation_of
from trafficrl.config.execution import Score

EPISODES = [
    *results("policy", 20.0, 22.0, 21.0, 600.0, arrived=90, scheduled=100),
    *results("policy", 40.0, 44.0, 42.0, 46.0, scenario="evening", arrived=60, scheduled=100),
]
LOCKED = [replace(found, reward=float(number)) for number, found in enumerate(EPISODES)]


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (Score.delay, -(663 + 172) / 8),
        (Score.middle_delay, -(21.5 + 43) / 2),  # the second and the third of each four
        (Score.reward, 3.5),
    ],
)
def test_a_lock_counts_as_the_rule_says(score: Score, expected: float) -> None:
    found = validation_of(LOCKED, score)
    assert found.score == pytest.approx(expected)
    assert found.metrics["delay_s"] == pytest.approx(835 / 8)
    assert found.metrics["arrived_share"] == pytest.approx(0.75)


def test_the_middle_of_few_episodes_counts_its_ends_in_part() -> None:
    found = validation_of(results("policy", 10.0, 20.0, 90.0, scheduled=1), Score.middle_delay)
    assert found.score == pytest.approx(-(0.25 * 10 + 20 + 0.25 * 90) / 1.5)
