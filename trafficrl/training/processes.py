"""Environments in processes of their own, whose failures reach the trainer as one clear error."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import SubprocVecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from trafficrl import errors
from trafficrl.errors import SimulationError, TrafficRLError

__all__ = ["Env", "ProcessVecEnv", "shielded_children"]

Env = gymnasium.Env[Any, Any]
FAILURE = "trafficrl_failure"
CLOSE_TIMEOUT_S = 10.0


class ReportedFailures(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Hands a failure on in `info`, because an exception would end the process without a word."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """As the environment does, or an empty observation and the failure."""
        try:
            return self.env.reset(seed=seed, options=options)
        except TrafficRLError as error:
            return self._nothing(), failure_info(error)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As the environment does, or an empty observation and the failure."""
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
        except TrafficRLError as error:
            return self._nothing(), 0.0, False, False, failure_info(error)
        return observation, float(reward), terminated, truncated, info

    def _nothing(self) -> Any:
        space = self.observation_space
        return np.zeros(space.shape or (), space.dtype)


class ProcessVecEnv(SubprocVecEnv):
    """Stable-Baselines3's subprocess environments, spawned, shielded and watched.

    Raises:
        TrafficRLError: what an environment raised, in the process of the caller.
        SimulationError: an environment's process died.
    """

    def __init__(self, makers: Sequence[Callable[[], Env]]) -> None:
        reported: list[Callable[[], Env]] = [partial(make_reported, make) for make in makers]
        with shielded_children(), self._watched():
            super().__init__(reported, start_method="spawn")

    def reset(self) -> VecEnvObs:
        """First observations of new episodes (slots, features)."""
        with self._watched():
            observations = super().reset()
        self._raise_failures(self.reset_infos)
        return observations

    def step_async(self, actions: Any) -> None:
        """All environments are stepping."""
        with self._watched():
            super().step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """What the step of every environment brought."""
        with self._watched():
            observations, rewards, dones, infos = super().step_wait()
        self._raise_failures(infos)
        self._raise_failures(self.reset_infos)
        return observations, rewards, dones, infos

    def close(self) -> None:
        """All processes have ended; one that does not answer is killed."""
        if self.closed:
            return
        self.closed = True
        for remote in self.remotes:
            with suppress(OSError):  # a process that died has closed its end
                remote.send(("close", None))
        for process in self.processes:
            process.join(CLOSE_TIMEOUT_S)
            if process.is_alive():
                process.kill()
                process.join()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as error:
            ended = [process for process in self.processes if not process.is_alive()]
            codes = ", ".join(f"{process.name} exit code {process.exitcode}" for process in ended)
            raise SimulationError(
                f"the process of an environment died ({codes or 'it closed its pipe'}): "
                "SUMO crashed in it, or memory ran out"
            ) from error

    def _raise_failures(self, infos: Sequence[Any]) -> None:
        for info in infos:
            if info and FAILURE in info:
                kind, message = info[FAILURE]
                raise getattr(errors, kind)(message)


def make_reported(make: Callable[[], Env]) -> Env:
    """The environment, in a process that leaves signals to its parent."""
    for kind in SHIELDED:
        signal.signal(kind, signal.SIG_IGN)
    return ReportedFailures(make())


def failure_info(error: TrafficRLError) -> dict[str, Any]:
    """What tells the other process of a failure: its class by name, and its message."""
    return {FAILURE: (type(error).__name__, str(error)), "reward_terms": {}}


SHIELDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes started inside ignore the signals that a terminal or Slurm sends to all of a job.

    The main process alone decides what an interrupt means; its workers end when it closes them, or
    when it is gone.
    """
    before = [signal.signal(kind, signal.SIG_IGN) for kind in SHIELDED]
    try:
        yield
    finally:
        for kind, handler in zip(SHIELDED, before, strict=True):
            signal.signal(kind, handler)
