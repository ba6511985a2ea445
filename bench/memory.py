"""(i) Memory of the learner and of a worker over 200 episodes."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.cases import experiment
from bench.compare import Plan, Row, Target
from bench.cost import in_child
from bench.watched import watched_training

__all__ = ["measure"]

EPISODES = 200
DECISIONS = 12
FLAT = Target(1.02)
"""What the last tenth takes, of what the tenth after the first quarter took."""


def measure(plan: Plan) -> Iterator[Row]:
    """A row for the learner and one for the largest worker."""
    episodes = 20 if plan.quick else EPISODES
    config = experiment(
        "algorithm.n_steps=60",
        "algorithm.batch_size=60",
        f"execution.end_time={10 * DECISIONS}",
        f"execution.total_timesteps={episodes * DECISIONS}",
        "execution.eval_freq=0",
    )
    seen = in_child(watched_training, config, plan.folder / "memory").memory_mb
    for place, who in enumerate(("learner", "worker"), start=1):
        used_mb = [float(sample[place]) for sample in seen]
        early_mb, late_mb = ends(used_mb)
        yield Row(
            "i",
            "grid3, light",
            f"{who}: memory at the end / after a quarter",
            late_mb / early_mb,
            target=FLAT,
            note=f"{early_mb:.1f} MB, {late_mb:.1f} MB after {seen[-1][0]} episodes",
            raw={"episodes": [sample[0] for sample in seen], "memory_mb": used_mb},
        )


def ends(values: Sequence[float]) -> tuple[float, float]:
    """Median of the tenth after the first quarter, and of the last tenth."""
    tenth, quarter = max(1, len(values) // 10), len(values) // 4
    return median(values[quarter : quarter + tenth]), median(values[-tenth:])
