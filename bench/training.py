"""(d) Where the wall time of a PPO training goes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from bench.cases import experiment
from bench.compare import Plan, Row, Target, take_turns
from bench.cost import in_child
from bench.watched import CPU, Account, watched_training
from trafficrl.config.experiment import ExperimentConfig

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
TURNS = 3
"""Trainings of each, however many turns others have: a minute each."""


def measure(plan: Plan) -> Iterator[Row]:
    """Two rows a training: the share of all that is neither SUMO nor the update.

    Wall time has waiting in it, our own and that for others on the machine; processor time not.
    """
    trainings = dict(list(TRAININGS.items())[:1]) if plan.quick else TRAININGS
    more = QUICK if plan.quick else ()
    subjects = {
        name: partial(watch, experiment(*overrides, *more), plan.folder)
        for name, overrides in trainings.items()
    }
    runs = take_turns(subjects, plan.at_most(TURNS).repeats)
    for name, accounts in runs.items():
        for what, parts, target in (
            ("wall time", wall_parts, MOST_OUTSIDE),
            ("processor time", processor_parts, None),
        ):
            yield middle_row(name, what, [parts(account) for account in accounts], target)


def watch(config: ExperimentConfig, folder: Path) -> Account:
    """What was seen of a training in a run folder of its own."""
    return in_child(watched_training, config, Path(mkdtemp(dir=folder, prefix="run-")) / "run")


def middle_row(
    name: str, what: str, runs: Sequence[Mapping[str, float]], target: Target | None
) -> Row:
    """The training of the median share; with an even number, of the better of the middle ones."""
    shares = sorted((shares_of(times_s) for times_s in runs), key=outside)
    middle = shares[(len(shares) - 1) // 2]
    return Row(
        "d",
        name,
        f"{what} outside sumo and update",
        outside(middle),
        unit="%",
        target=target,
        note=", ".join(f"{part} {share:.1f}" for part, share in middle.items()),
        raw={"trainings": [dict(times_s) for times_s in runs]},
    )


def shares_of(times_s: Mapping[str, float]) -> dict[str, float]:
    """Part -> its share of all [%]."""
    return {part: 100 * time_s / sum(times_s.values()) for part, time_s in times_s.items()}


def outside(shares: Mapping[str, float]) -> float:
    """What is neither SUMO nor the update [%]."""
    return 100 - shares["sumo"] - shares["update"]


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
