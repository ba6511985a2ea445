"""Environments side by side for Stable-Baselines3, each of which can tell where it stands.

Shapes: N environments.
"""

import atexit
import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from trafficrl.config.execution import ExecutionConfig
from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.training.crashes import CrashLog
from trafficrl.training.environment_process import (
    MakeEnv,
    call_method,
    is_wrapped,
    set_attribute,
)
from trafficrl.training.history import SlotHistory
from trafficrl.training.slot import Slot

__all__ = ["ProcessVecEnv", "SingleVecEnv", "SlotHistory", "inner_environments"]

CLOSE_TIMEOUT_S = 10.0


class ProcessVecEnv(VecEnv):
    """Environments in processes of their own. One that crashes is replaced, and nothing is lost.

    A process that dies, hangs or reports a SimulationError is ended with all that it had started,
    and a new one replays its episode to where it was. An episode that fails again on that way is
    dropped: its decision has no reward and ends it, `info["crash"]` says why, and the next episode
    begins.

    Each episode begins with what its environment was when it was made, and with the attributes that
    were set since; what else it does there is gone when the next one begins. Attributes that were
    set are lost with the process.

    Args:
        makers: of the environments (N,).
        execution: when an environment counts as hanging, what a crash costs, how many are borne.
        folder: below it each process has a folder while it lives.

    Raises:
        SimulationError: there were too many crashes, or an environment could not even begin.
        TrafficRLError: what else an environment raised, in the process of the caller.
    """

    def __init__(self, makers: Sequence[MakeEnv], execution: ExecutionConfig, folder: Path) -> None:
        self._slots: list[Slot] = []
        self._crashes = CrashLog(execution.max_crashes)
        self._hang_timeout_s = execution.hang_timeout_s or None
        # Python ends by waiting for its workers, who wait for us: they must be closed before.
        atexit.register(self.close)
        try:
            for index, make in enumerate(makers):
                name = f"slot-{index}"
                self._slots.append(Slot(name, make, folder, execution, self._crashes))
            self._settle()
            super().__init__(len(makers), *self._slots[0].spaces)
        except BaseException:
            self.close()
            raise

    @property
    def crashes(self) -> list[str]:
        """One line for each crash: which slot, where, why, and how to see it again."""
        return self._crashes.lines

    @property
    def process_ids(self) -> list[int]:
        """Of the processes of the moment (N,)."""
        return [slot.process.id for slot in self._slots]

    def history(self) -> list[SlotHistory]:
        """Where every environment stands (N,): enough for `restore`."""
        return [slot.history.copy() for slot in self._slots]

    def restore(self, histories: Sequence[SlotHistory]) -> VecEnvObs:
        """The observations (N, features) where all environments stand now, as when it was told.

        Raises:
            SimulationError: one could not be brought there twice in a row.
        """
        for slot, history in zip(self._slots, histories, strict=True):
            slot.restore(history)
        return self._begun()

    def reset(self) -> VecEnvObs:
        """First observations (N, features) of new episodes."""
        for slot, seed in zip(self._slots, self._seeds, strict=True):
            slot.begin(seed)
        return self._begun()

    def step_async(self, actions: Any) -> None:
        """All environments are stepping."""
        for slot, action in zip(self._slots, actions, strict=True):
            slot.step(action)

    def step_wait(self) -> VecEnvStepReturn:
        """What the step of every environment brought."""
        self._settle()
        rewards, dones, infos = zip(*(slot.outcome for slot in self._slots), strict=True)
        self.reset_infos = [slot.info for slot in self._slots]
        return self._observations(), np.array(rewards), np.array(dones), list(infos)

    def close(self) -> None:
        """All processes have ended; one that does not answer is killed."""
        atexit.unregister(self.close)
        slots, self._slots = self._slots, []
        for slot in slots:
            slot.process.dismiss()
        by = time.monotonic() + CLOSE_TIMEOUT_S
        for slot in slots:
            slot.process.end(at_once=False, by=by)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """That attribute of each environment."""
        return self.env_method("get_wrapper_attr", attr_name, indices=indices)

    def has_attr(self, attr_name: str) -> bool:
        """Whether every environment has that attribute."""
        return all(self.env_method("has_wrapper_attr", attr_name))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """That attribute has a new value in each environment, for as long as its process lives."""
        self._call(set_attribute, attr_name, value, indices=indices)

    def env_method(
        self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any
    ) -> list[Any]:
        """What that method of each environment returned."""
        return self._call(call_method, method_name, args, kwargs, indices=indices)

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Whether each environment has that wrapper."""
        module, name = wrapper_class.__module__, wrapper_class.__qualname__
        return self._call(is_wrapped, module, name, indices=indices)

    def _call(self, function: Callable[..., Any], *arguments: Any, indices: Any) -> list[Any]:
        chosen: Iterable[int] = self._get_indices(indices)
        patience_s = self._hang_timeout_s
        return [
            self._slots[index].process.call(function, *arguments, patience_s=patience_s)
            for index in chosen
        ]

    def _begun(self) -> VecEnvObs:
        self._reset_seeds()
        self._reset_options()
        self._settle()
        self.reset_infos = [slot.info for slot in self._slots]
        return self._observations()

    def _observations(self) -> VecEnvObs:
        observations = [slot.observation for slot in self._slots]
        return np.stack([one for one in observations if one is not None])

    def _settle(self) -> None:
        """Every slot has done what was asked of it, some perhaps in a new process."""
        while busy := {slot.pipe: slot for slot in self._slots if slot.busy}:
            first = min(slot.deadline for slot in busy.values())
            ready = wait(busy, None if first == inf else max(0.0, first - time.monotonic()))
            for pipe, slot in busy.items():
                if pipe in ready:
                    slot.receive()
                else:
                    slot.expire()


class SingleVecEnv(DummyVecEnv):
    """One environment in this process; its crash ends the run.

    Its episodes are those that it would have in a process of its own, but each leaves a little
    memory behind (`TrafficSignalEnv`): for looking into, and for short runs.
    """

    def __init__(self, make: Callable[[], TrafficSignalEnv]) -> None:
        super().__init__([make])
        self.crashes: list[str] = []
        self._history = SlotHistory()

    def history(self) -> list[SlotHistory]:
        """Where the environment stands (1,): enough for `restore`."""
        return [self._history.copy()]

    def restore(self, histories: Sequence[SlotHistory]) -> VecEnvObs:
        """The observation (1, features) where the environment stands now, as when it was told."""
        (history,) = histories
        self._history = history.copy()
        (env,) = self.envs
        assert isinstance(env, TrafficSignalEnv)
        self._save_obs(0, env.replay(history.episode, history.actions, seed=history.seed))
        self._reset_seeds()
        return self._obs_from_buf()

    def reset(self) -> VecEnvObs:
        """First observation (1, features) of a new episode."""
        self._history = self._history.next(self._seeds[0])
        return super().reset()

    def step_wait(self) -> VecEnvStepReturn:
        """What the step brought."""
        found = super().step_wait()
        if self.buf_dones[0]:
            self._history = self._history.next()
        else:
            self._history.actions.append(np.array(self.actions[0]))
        return found


def inner_environments(environments: VecEnv) -> ProcessVecEnv | SingleVecEnv:
    """What the wrappers of monitoring and normalisation are about."""
    inner = environments.unwrapped
    assert isinstance(inner, ProcessVecEnv | SingleVecEnv)
    return inner
