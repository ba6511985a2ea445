"""(d) Where the wall time of a PPO training goes."""

from collections.abc import Iterator

from bench.cases import experiment
from bench.compare import Plan, Row, Target
from bench.cost import in_child
from bench.watched import CPU, Account, watched_training

__all__ = ["measure"]

TRAININGS = {
    "grid3, light, ppo_quick": (
        "execution.total_timesteps=2560",
        "execution.eval_freq=0",
    ),
    "grid6_realistic, heavy_load, ppo_quick": (
        "network=grid6_realistic",
        "scenarios=heavy_load",
        "~scenarios.heavy_mixed_s1",
        "~scenarios.heavy_evening_s1",
        "scenarios.heavy_realtime_s1.num_vehicles=2750",
        "algorithm.n_steps=90",
        "algorithm.batch_size=60",
        "execution.end_time=900",
        "execution.total_timesteps=360",
        "execution.parallel_envs=2",
        "execution.eval_freq=0",
    ),
}
"""Short ones, with two environments; without validation, whose time is SUMO's again. The city has
the first quarter of an hour of its two, with as many vehicles as depart in it."""
QUICK = ("algorithm.n_steps=32", "execution.end_time=320", "execution.total_timesteps=128")
MOST_OUTSIDE = Target(15)


def measure(plan: Plan) -> Iterator[Row]:
    """Two rows a training: the share of all that is neither SUMO nor the update.

    Wall time has waiting in it, our own and that for others on the machine; processor time not.
    """
    for index, (name, overrides) in enumerate(TRAININGS.items()):
        if plan.quick and index:
            continue
        config = experiment(*overrides, *(QUICK if plan.quick else ()))
        account = in_child(watched_training, config, plan.folder / f"training-{index}")
        for what, found, target in (
            ("wall time", wall_parts(account), MOST_OUTSIDE),
            ("processor time", processor_parts(account), None),
        ):
            shares = {part: 100 * time_s / sum(found.values()) for part, time_s in found.items()}
            yield Row(
                "d",
                name,
                f"{what} outside sumo and update",
                100 - shares["sumo"] - shares["update"],
                unit="%",
                target=target,
                note=", ".join(f"{part} {share:.1f}" for part, share in shares.items()),
                raw=account.times_s,
            )


def wall_parts(account: Account) -> dict[str, float]:
    """Part of the training -> its wall time [s]; together they are all of it."""
    times_s = account.times_s
    waited = ("waiting for the slowest", "communication")
    found = {name: times_s[name] for name in ("sumo", "update", "environment", *waited, "saving")}
    # The policy, normalisation, the buffer and the log, and all between.
    found["policy and else"] = times_s["training"] - sum(found.values())
    return found


def processor_parts(account: Account) -> dict[str, float]:
    """The same by processor time [s], of the learner and all workers together."""
    times_s = {name: time_s for name, time_s in account.times_s.items() if name.endswith(CPU)}
    learner = {name: times_s[name + CPU] for name in ("update", "saving")}
    vector_s = times_s["vector" + CPU]
    return {
        "sumo": times_s["sumo" + CPU],
        "environment": times_s["environment" + CPU],
        "communication": times_s["communication" + CPU] + vector_s,
        **learner,
        "policy and else": times_s["training" + CPU] - sum(learner.values()) - vector_s,
    }
