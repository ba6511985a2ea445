"""From phase costs to the durations of a signal's next cycle.

A duration is a phase's green and its clearance together: in the studies that the rules come from,
which had no clearance, it was the green. Seconds throughout.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor

__all__ = ["baby_steps", "fill_cycle", "fit_to_cycle", "naive", "uniform"]

# Sum of a signal's phase costs below which a duration moves by no more than so many seconds.
STEPS = ((10, 2), (30, 4), (100, 6), (300, 10), (1000, 15))
LARGEST_STEP = 20


def baby_steps(
    durations_s: Sequence[float], costs: Sequence[float], *, cycle_s: float, min_phase_s: float
) -> list[float]:
    """Each phase gives up to a step, down to its minimum; what they give is shared out by cost.

    What rounding and the upper limit of a step leave goes to all phases alike. The sum is the cycle
    where the durations are whole seconds; half seconds overshoot by less than one.
    """
    total = sum(costs)
    step_s = next((step for below, step in STEPS if total < below), LARGEST_STEP)
    floors_s = [max(duration - step_s, min_phase_s) for duration in durations_s]
    pool_s = sum(durations_s) - sum(floors_s)
    shared_s = [
        min(round(cost / max(total, 1) * pool_s + lowest), duration + step_s)
        for duration, cost, lowest in zip(durations_s, costs, floors_s, strict=True)
    ]
    left_s = cycle_s - sum(shared_s)
    each_s = left_s // len(shared_s)
    more = left_s - each_s * len(shared_s)
    return [float(duration + each_s + (index < more)) for index, duration in enumerate(shared_s)]


def naive(
    durations_s: Sequence[float], costs: Sequence[float], *, cycle_s: float, min_phase_s: float
) -> list[float]:
    """The minimum for each phase, and the rest of the cycle by cost.

    Durations stay without any cost, where the original divides by zero.
    """
    total = sum(costs)
    if not total:
        return list(durations_s)
    rest_s = cycle_s - len(costs) * min_phase_s
    return [float(round(cost / total * rest_s + min_phase_s)) for cost in costs]


def uniform(count: int, *, cycle_s: float) -> list[float]:
    """Equal whole seconds, rounded up: the last phase is cut where they are more than the cycle."""
    return [float(ceil(cycle_s / count))] * count


def fit_to_cycle(
    durations_s: Sequence[float], *, cycle_s: float, min_phase_s: float
) -> list[float]:
    """No duration is below the minimum, and together they are the cycle.

    What exceeds it is taken from the phases above the minimum in equal whole seconds, then from the
    first of them on, second by second; a part of a second is taken from the first. In the
    predecessor half a second was never taken, and its loop did not end. What is lacking, where the
    rule's rounding lost it, is given from the first phase on.
    """
    fitted_s = [float(max(duration, min_phase_s)) for duration in durations_s]
    excess_s = sum(fitted_s) - cycle_s
    while excess_s > 1e-9:
        above = [index for index, duration in enumerate(fitted_s) if duration > min_phase_s]
        assert above, "the minimum durations do not fit into the cycle"
        part_s = max(1.0, excess_s // len(above))
        for index in above:
            taken_s = min(part_s, excess_s, fitted_s[index] - min_phase_s)
            fitted_s[index] -= taken_s
            excess_s -= taken_s
    for index in range(ceil(-excess_s - 1e-9)):
        given_s = min(1.0, -excess_s)
        fitted_s[index % len(fitted_s)] += given_s
        excess_s += given_s
    return fitted_s


def fill_cycle(
    durations_s: Sequence[float], *, cycle_s: float, least_s: float, step_s: float
) -> list[float]:
    """Whole simulation steps that fill the cycle exactly, none below the least.

    Each phase begins at the sum of the durations before it, rounded to a step, and the last one
    ends with the cycle, cut or prolonged; durations of whole steps that fill the cycle stay as they
    are. A phase below the least takes what it lacks from the longest.
    """
    steps_of_cycle = round(cycle_s / step_s)
    least = ceil(least_s / step_s - 1e-9)
    ends, passed_s = [0], 0.0
    for duration in durations_s[:-1]:
        passed_s += duration
        ends.append(min(floor(passed_s / step_s + 0.5), steps_of_cycle))
    ends.append(steps_of_cycle)
    steps = [max(end - begin, least) for begin, end in pairwise(ends)]
    for _ in range(sum(steps) - steps_of_cycle):
        steps[steps.index(max(steps))] -= 1
    return [count * step_s for count in steps]
