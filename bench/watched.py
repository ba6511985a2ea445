"""A training that is watched from outside: where its wall time goes, and what memory it takes.

The training itself is trafficrl's own; its environments, their vector and some methods are put
behind others that take the time as well.

Shapes: N environments.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest import mock

import libsumo
import psutil
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from bench.cost import family
from trafficrl.app.build import build_evaluator, open_run
from trafficrl.app.learn import learn
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.env.traffic_env import Observation, TrafficSignalEnv
from trafficrl.runs.paths import RunPaths
from trafficrl.runs.record import RunRecord
from trafficrl.runs.stop import StopRequest
from trafficrl.simulation.session import SumoSession
from trafficrl.training import vector
from trafficrl.training.processes import ProcessVecEnv
from trafficrl.training.rollout import Rollout
from trafficrl.training.trainer import Trainer

__all__ = ["CPU", "Account", "watched_training"]

SPENT = "bench_spent_s"
"""Key of an info: what the call took by name [s]."""
_spent_s: dict[str, float] = defaultdict(float)
"""By name, of this process; that of processor time ends in CPU."""
CPU = ", processor"
STEPS = "steps"


@dataclass(slots=True)
class Account:
    """What was seen of a training."""

    times_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    memory_mb: list[tuple[int, float, float]] = field(default_factory=list)
    """After so many episodes: of the learner, and of the largest worker."""


_account = Account()


@contextmanager
def taking(name: str) -> Iterator[None]:
    """Wall and processor time of the block are added to that name."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        _spent_s[name] += time.perf_counter() - wall_s
        _spent_s[name + CPU] += time.process_time() - cpu_s


def timed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The same, and its times are added to that name."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with taking(name):
            return function(*args, **kwargs)

    return call


def clocked(step: Callable[[SumoSession], None]) -> Callable[[SumoSession], None]:
    """The same, and its wall time is added to SUMO's.

    It happens each simulated second: what `taking` costs would show there.
    """
    clock, spent_s = time.perf_counter, _spent_s

    def call(session: SumoSession) -> None:
        begin_s = clock()
        step(session)
        spent_s[STEPS] += clock() - begin_s

    return call


class TimedEnv(TrafficSignalEnv):
    """Tells in each info how long the call took, and how much of that was SUMO.

    Of a call's processor time, the steps of SUMO have the share that they have of its wall time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for owner, name, taken in (
            (SumoSession, "step", clocked(SumoSession.step)),
            (libsumo, "start", timed(libsumo.start, "sumo")),
            (libsumo, "close", timed(libsumo.close, "sumo")),
        ):
            setattr(owner, name, taken)
        super().__init__(*args, **kwargs)
        self._process_id, self._left_s = os.getpid(), time.process_time()

    def reset(self, **kwargs: Any) -> tuple[Observation, dict[str, Any]]:
        """As it is."""
        self._enter()
        with taking("call"):
            observation, info = super().reset(**kwargs)
        return observation, info | self._leave()

    def step(self, action: NDArray[Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """As it is."""
        self._enter()
        with taking("call"):
            observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated, truncated, info | self._leave()

    def _enter(self) -> None:
        """What the process did since the call before was the pipe's; so is a fork's beginning."""
        _spent_s.clear()
        if self._process_id != os.getpid():
            self._process_id, self._left_s = os.getpid(), 0.0
        _spent_s["pipe" + CPU] = time.process_time() - self._left_s

    def _leave(self) -> dict[str, Any]:
        self._left_s = time.process_time()
        steps_s = _spent_s.pop(STEPS, 0.0)
        _spent_s["sumo"] += steps_s
        _spent_s["sumo" + CPU] += steps_s * _spent_s["call" + CPU] / _spent_s["call"]
        return {SPENT: dict(_spent_s)}


class TimedVecEnv(ProcessVecEnv):
    """Shares out the time of each of its steps."""

    def reset(self) -> VecEnvObs:
        """As it is."""
        begin_s = time.perf_counter()
        with taking("vector"):
            observations = super().reset()
        self._share_out([info[SPENT] for info in self.reset_infos], time.perf_counter() - begin_s)
        return observations

    def step_async(self, actions: Any) -> None:
        """As it is."""
        self._begin_s = time.perf_counter()
        with taking("vector"):
            super().step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """As it is."""
        with taking("vector"):
            observations, rewards, dones, infos = super().step_wait()
        wall_s = time.perf_counter() - self._begin_s
        calls = [Counter(info[SPENT]) for info in infos]
        for place, done in enumerate(dones):
            if done:  # the next episode has begun in the same step
                calls[place].update(self.reset_infos[place][SPENT])
        self._share_out(calls, wall_s)
        if dones.any():
            self._weigh(int(dones.sum()))
        return observations, rewards, dones, infos

    def _share_out(self, calls: Sequence[Mapping[str, float]], wall_s: float) -> None:
        """Wall time as the mean over the environments, processor time as their sum."""
        times_s = _account.times_s
        busy_s, longest_s = fmean(c["call"] for c in calls), max(c["call"] for c in calls)
        sumo_s = fmean(c["sumo"] for c in calls)
        times_s["sumo"] += sumo_s
        times_s["environment"] += busy_s - sumo_s
        times_s["waiting for the slowest"] += longest_s - busy_s
        times_s["communication"] += wall_s - longest_s
        for call in calls:
            times_s["sumo" + CPU] += call["sumo" + CPU]
            times_s["environment" + CPU] += call["call" + CPU] - call["sumo" + CPU]
            times_s["communication" + CPU] += call["pipe" + CPU]

    def _weigh(self, more_episodes: int) -> None:
        before = _account.memory_mb[-1][0] if _account.memory_mb else 0
        workers = max(memory_mb(*family(psutil.Process(pid))) for pid in self.process_ids)
        learner = memory_mb(psutil.Process())
        _account.memory_mb.append((before + more_episodes, learner, workers))


def memory_mb(*processes: psutil.Process) -> float:
    """Memory that each process has for itself alone (USS), so that shared libraries do not count.

    Nor does what a worker and its fork have in common.
    """
    return float(sum(one.memory_full_info().uss for one in processes)) / 2**20


@contextmanager
def watching() -> Iterator[None]:
    """What a training uses is put behind ours."""
    with (
        mock.patch.object(vector, "TrafficSignalEnv", TimedEnv),
        mock.patch.object(vector, "ProcessVecEnv", TimedVecEnv),
        mock.patch.object(Trainer, "run", timed(Trainer.run, "training")),
        mock.patch.object(Trainer, "_roll_out", timed(Trainer._roll_out, "rollout")),
        mock.patch.object(Trainer, "_save_checkpoint", timed(Trainer._save_checkpoint, "saving")),
        mock.patch.object(PPO, "train", timed(PPO.train, "update")),
        mock.patch.object(Rollout, "finish", timed(Rollout.finish, "update")),
    ):
        yield


def watched_training(config: ExperimentConfig, folder: Path) -> Account:
    """What was seen of that training, from its first reset on; to be run in a child."""
    paths = RunPaths(folder)
    with StopRequest() as stop, watching():
        config, task = open_run(config, paths)
        record = RunRecord(paths.run, timesteps=0)
        with build_evaluator(config, task, paths) as evaluator:
            learn(config, task, paths, record=record, stop=stop, evaluator=evaluator)
    return Account({**_account.times_s, **_spent_s}, _account.memory_mb)
