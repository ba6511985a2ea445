"""(i) Memory of the learner and of a worker over 200 episodes, in one training."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

from bench.cases import experiment
from bench.compare import Plan, Row, Target
from bench.cost import in_child
from bench.watched import watched_training

__all__ = ["measure"]

EPISODES = 200
DECISIONS = 12
FLAT = Target(1.0)
"""[MB] in a hundred episodes."""


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
    settled = seen[len(seen) // 4 :]
    for place, who in enumerate(("learner", "worker"), start=1):
        used_mb = [(sample[0], float(sample[place])) for sample in settled]
        yield Row(
            "i",
            "grid3, light",
            f"{who}: growth of memory in 100 episodes",
            100 * slope(used_mb),
            unit="MB",
            target=FLAT,
            note=f"{used_mb[0][1]:.1f} MB after {used_mb[0][0]} episodes, "
            f"{used_mb[-1][1]:.1f} MB after {used_mb[-1][0]}",
            raw={"memory_mb": [(sample[0], sample[place]) for sample in seen]},
        )


def slope(points: Sequence[tuple[int, float]]) -> float:
    """Median of the slopes between all pairs of points (Sen 1968): one step is no growth."""
    return median(
        (later - earlier) / (x - before)
        for (before, earlier), (x, later) in combinations(points, 2)
        if x > before
    )
