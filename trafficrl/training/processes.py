"""Environments in processes of their own, whose failures reach the trainer as one clear error."""

import atexit
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import SubprocVecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from trafficrl import errors
from trafficrl.errors import SimulationError, TrafficRLError

__all__ = ["Env", "ProcessVecEnv", "ignore_signals", "shielded_children"]

Env = gymnasium.Env[Any, Any]
FAILURE = "trafficrl_failure"
CLOSE_TIMEOUT_S = 10.0
DEATH_TIMEOUT_S = 1.0
"""How long after its pipe has closed a process may take to have an exit code."""


class ReportedFailures(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Hands a failure on in `info`, because an exception would end the process without a word."""

    failure: tuple[str, str] | None = None
    """What kept the environment from being built."""

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


class NeverBuilt(gymnasium.Env[Any, Any]):
    """Stands where an environment could not be built, until the other process has asked why."""

    observation_space = spaces.Discrete(1)
    action_space = spaces.Discrete(1)

    def __init__(self, error: TrafficRLError) -> None:
        self.failure = named(error)


class ProcessVecEnv(SubprocVecEnv):
    """Stable-Baselines3's subprocess environments, spawned, shielded and watched.

    Raises:
        TrafficRLError: what an environment raised, in the process of the caller.
        SimulationError: an environment's process died.
    """

    def __init__(self, makers: Sequence[Callable[[], Env]]) -> None:
        reported: list[Callable[[], Env]] = [partial(make_reported, make) for make in makers]
        self.closed, self.remotes, self.processes = False, (), []
        # Python ends by waiting for its workers, who wait for us: they must be closed before.
        atexit.register(self.close)
        try:
            with shielded_children(), self._watched():
                super().__init__(reported, start_method="spawn")
                failures = self.get_attr("failure")
            raise_first(failures)
        except BaseException:
            self.close()
            raise

    def reset(self) -> VecEnvObs:
        """First observations of new episodes (slots, features)."""
        with self._watched():
            observations = super().reset()
        raise_first(map(failure_in, self.reset_infos))
        return observations

    def step_async(self, actions: Any) -> None:
        """All environments are stepping."""
        with self._watched():
            super().step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """What the step of every environment brought."""
        with self._watched():
            observations, rewards, dones, infos = super().step_wait()
        raise_first(map(failure_in, [*infos, *self.reset_infos]))
        return observations, rewards, dones, infos

    def close(self) -> None:
        """All processes have ended; one that does not answer is killed."""
        if self.closed:
            return
        self.closed = True
        atexit.unregister(self.close)
        for remote in self.remotes:
            with suppress(OSError):  # a process that died has closed its end
                remote.send(("close", None))
        end = time.monotonic() + CLOSE_TIMEOUT_S
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        for remote in self.remotes:
            remote.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as error:
            ready = wait([process.sentinel for process in self.processes], DEATH_TIMEOUT_S)
            ended = [process for process in self.processes if process.sentinel in ready]
            for process in ended:
                process.join(DEATH_TIMEOUT_S)
            codes = ", ".join(f"{process.name} exit code {process.exitcode}" for process in ended)
            raise SimulationError(
                f"the process of an environment died ({codes or 'it closed its pipe'}): "
                "SUMO crashed in it, or memory ran out"
            ) from error


def make_reported(make: Callable[[], Env]) -> Env:
    """The environment, in a process that leaves signals to its parent."""
    ignore_signals()
    try:
        return ReportedFailures(make())
    except TrafficRLError as error:
        return NeverBuilt(error)


def named(error: TrafficRLError) -> tuple[str, str]:
    """What the other process makes the same error from: its class by name, and its message."""
    return type(error).__name__, str(error)


def failure_info(error: TrafficRLError) -> dict[str, Any]:
    """The `info` that tells the other process of a failure."""
    return {FAILURE: named(error)}


def failure_in(info: dict[str, Any] | None) -> tuple[str, str] | None:
    """The failure that an `info` tells of."""
    return info.get(FAILURE) if info else None


def raise_first(failures: Iterable[tuple[str, str] | None]) -> None:
    """Return when there is no failure.

    Raises:
        TrafficRLError: the first failure, as it was raised in its process.
    """
    for failure in failures:
        if failure is not None:
            kind, message = failure
            raise getattr(errors, kind)(message)


SHIELDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


def ignore_signals() -> None:
    """This process leaves to its parent what a terminal or Slurm sends to all of a job."""
    for kind in SHIELDED:
        signal.signal(kind, signal.SIG_IGN)


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes started inside are safe from those signals until they `ignore_signals()`.

    The main process alone decides what an interrupt means; its workers end when it closes them, or
    when it is gone. A signal that comes inside reaches the main process at the end of the block.
    """
    # A process inherits what its parent blocks. Multiprocessing's tracker, when it is started,
    # would lift the block: so it is started before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SHIELDED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
