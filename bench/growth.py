"""(h) How the overhead of an episode, as in (a), grows with signals and with vehicles."""

from collections.abc import Iterator

from bench.cases import grid
from bench.compare import Plan, Row, Target
from bench.fixed_plan import compare_episodes

__all__ = ["measure"]

HOUR_S = 3600.0
CITIES = (
    (grid(3, 1_000, HOUR_S), 1800.0),
    (grid(6, 1_000, HOUR_S), 600.0),
    (grid(6, 10_000, HOUR_S), 600.0),
    (grid(10, 10_000, HOUR_S), 450.0),
    (grid(20, 10_000, HOUR_S), 60.0),
    (grid(20, 50_000, HOUR_S), 60.0),
)
"""By signals and by vehicles, and how much of the hour stands for it [s]."""
TURNS = 2
"""The largest cities take a minute each to load."""
NO_MORE = 1.02
"""Of the ratio with fewer vehicles: what counts as not grown."""


def measure(plan: Plan) -> Iterator[Row]:
    """A row a city; where only the vehicles became more, the ratio of before is its target."""
    before: tuple[str, float] | None = None
    for case, part_s in CITIES[:2] if plan.quick else CITIES:
        signals = case.name.partition(",")[0]
        target = Target(round(before[1] * NO_MORE, 3)) if before and before[0] == signals else None
        horizon_s = plan.horizon_s(case.whole_s, part_s, least_s=120)
        row = compare_episodes("h", case, plan.at_most(TURNS), horizon_s=horizon_s, target=target)
        before = (signals, row.value)
        yield row
