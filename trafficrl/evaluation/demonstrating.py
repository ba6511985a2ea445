"""Drives a controller through training episodes in worker processes, and notes what it does.

Shapes: T decisions of an episode, S signals.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.demonstrations import (
    Demonstrations,
    check_training,
    load_arrays,
    save_arrays,
)
from trafficrl.env.encoding import Encoder, task_encoder
from trafficrl.env.episodes import Episode, TrainingEpisodes
from trafficrl.env.rewards import build_reward
from trafficrl.env.simulate import RunningEpisode, start_episode
from trafficrl.env.task import Task
from trafficrl.env.teacher import Teacher
from trafficrl.errors import SimulationError
from trafficrl.evaluation.pool import WorkerPool
from trafficrl.evaluation.worker import beating, kept_controller, worker_place
from trafficrl.training.forking import in_fork

__all__ = ["DemonstrationJob", "demonstrate", "demonstrate_all", "demonstrate_episode"]

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class DemonstrationJob:
    """One episode of one controller."""

    controller: str
    """A name, or the file of a model."""
    episode: Episode


def demonstrate_all(
    controller: str,
    task: Task,
    *,
    seed: int,
    episodes: int,
    pool: WorkerPool,
    kept: Path | None = None,
    report: Callable[[int], None] = lambda done: None,
) -> Demonstrations:
    """What the controller does in so many training episodes of each scenario.

    Args:
        controller: its name, or the file of its model.
        task: whose scenarios, observation, action and reward.
        seed: that the training demand follows from.
        episodes: of each scenario.
        pool: where they run.
        kept: folder for finished episodes, from which the same call goes on after it was cut.
        report: called with the number of finished episodes.

    Raises:
        ConfigError: a controller whose decisions no action of the task can say.
        SimulationError: a worker process died or hung.
        RunError: an episode cannot be kept.
        TrafficRLError: what an episode raised.
    """
    sequence = TrainingEpisodes(
        task.scenarios, seed=seed, slot=0, slots=1, curriculum=task.curriculum
    )
    chosen = [sequence.episode(index) for index in range(episodes * len(task.scenarios))]
    jobs = {i: DemonstrationJob(controller, episode) for i, episode in enumerate(chosen)}
    parts = {} if kept is None else {index: kept / f"episode_{index}.npz" for index in jobs}
    found = {index: arrays for index, file in parts.items() if (arrays := load_arrays(file))}
    report(len(found))
    left = {index: job for index, job in jobs.items() if index not in found}
    with closing(pool.run(left, demonstrate)) as finished:
        for index, arrays in finished:
            found[index] = arrays
            if parts:
                save_arrays(parts[index], arrays)
            report(len(found))
    if len(found) < len(jobs):
        missing = next(index for index in jobs if index not in found)
        raise SimulationError(
            f"a worker process died or hung before it had driven {chosen[missing].scenario} "
            f"(seed {chosen[missing].sumo_seed}); nothing was written"
        )
    return joined(chosen, found)


def joined(episodes: Sequence[Episode], found: Mapping[int, Arrays]) -> Demonstrations:
    """All episodes in their order."""
    parts = [found[index] for index in range(len(episodes))]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    lengths = [len(part["rewards"]) for part in parts]
    facts = {
        "exact_share": round(float(arrays["exact"].mean()), 6),
        "episodes": [
            {
                "scenario": episode.scenario,
                "demand_seed": None if episode.demand is None else episode.demand.private,
                "sumo_seed": episode.sumo_seed,
                "decisions": length,
            }
            for episode, length in zip(episodes, lengths, strict=True)
        ],
    }
    arrays["episodes"] = np.repeat(np.arange(len(parts)), lengths)
    return Demonstrations(**arrays, facts=facts)


def demonstrate(job: DemonstrationJob) -> Arrays:
    """In a worker: the episode's arrays, from a fork of the process."""
    task, folder = worker_place()
    controller = kept_controller(job.controller, task)
    teacher = Teacher(job.controller, controller, task)
    with beating(folder) as beat:
        run = partial(demonstrate_episode, task, job.episode, teacher, folder, beat=beat)
        return in_fork(run)


def demonstrate_episode(
    task: Task,
    episode: Episode,
    teacher: Teacher,
    folder: Path,
    *,
    beat: Callable[[], None] = lambda: None,
) -> Arrays:
    """The arrays of `Demonstrations` for one episode that the teacher drives.

    Raises:
        ConfigError: no action of the task can say what it does, or no training episode.
        DemandError: the demand cannot be generated on this network.
        SimulationError: SUMO would not start, or died.
    """
    demand = None if episode.demand is None else episode.demand.private
    check_training("demonstrations", episode.sumo_seed, demand)
    encoder = task_encoder(task)
    cells_m = encoder.cells_m
    running = start_episode(task, episode, folder, controller=teacher, cells_m=cells_m)
    try:
        rows = drive(task, running, teacher, encoder, beat)
    finally:
        running.close()
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    arrays["masks"] = masks(task, arrays["observations"])
    return arrays


def drive(
    task: Task,
    running: RunningEpisode,
    teacher: Teacher,
    encoder: Encoder,
    beat: Callable[[], None],
) -> list[dict[str, Any]]:
    """What was seen, done and paid at each decision."""
    reward = build_reward(task.reward, task.network, task.extensions)
    by_signal = isinstance(task.observation, SignalObservationConfig)
    driver, rows = running.driver, []
    state = driver.start()
    while not driver.finished and state.totals.expected_veh:
        seen, command = encoder.encode(state), teacher.decide(state)
        following = driver.advance(command)
        label = teacher.label(state, command, following=following)
        paid = reward.pay_signals(following)[0] if by_signal else reward.pay(following)[0]
        rows.append(
            {
                "observations": seen,
                "actions": label.action,
                "rewards": np.asarray(paid, np.float64),
                "exact": label.exact,
            }
        )
        state = following
        beat()
    return rows


def masks(task: Task, observations: np.ndarray) -> np.ndarray:
    """(T, S, P) which phases could be chosen, as rows of signals say; (T, 0) without such rows."""
    if isinstance(task.observation, SignalObservationConfig):
        return observations[:, :, : task.observation.max_phases] > 0
    return np.zeros((len(observations), 0), dtype=bool)
