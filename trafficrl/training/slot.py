"""One of the environments that learn side by side, and how it survives the crash of its process."""

import time
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trafficrl.config.execution import ExecutionConfig, OnCrash
from trafficrl.errors import SimulationError
from trafficrl.training.crashes import CrashLog
from trafficrl.training.environment_process import (
    EnvironmentProcess,
    MakeEnv,
    begin_episode,
    make_decision,
)
from trafficrl.training.forking import Failure
from trafficrl.training.history import SlotHistory

__all__ = ["Slot"]

Info = dict[str, Any]
START_S = 60.0
"""What a process may need beyond the patience to start: a loaded machine imports slowly."""


class Slot:
    """Its process of the moment, where it stands, and what is asked of it.

    What has to be asked next follows from the difference between where the slot should stand and
    where its process does. A new process stands nowhere: it is led by the same requests to where
    the one before was, one decision at a time, and then on.

    Args:
        name: of the slot.
        make: makes its environment.
        folder: where its processes have their folders.
        execution: when a process counts as hanging, and what a crash costs.
        crashes: counts those of all slots.
    """

    _ready: bool
    """The process has said that its environment is made."""
    _taken: int | None
    """Decisions that the process has made; None before it has begun the episode."""

    def __init__(
        self, name: str, make: MakeEnv, folder: Path, execution: ExecutionConfig, crashes: CrashLog
    ) -> None:
        self._name, self._make, self._folder = name, make, folder
        self._patience_s = execution.hang_timeout_s or inf
        self._on_crash = execution.on_crash
        self._crashes = crashes
        self.spaces: Any = None
        """Of observations and actions."""
        self.history = SlotHistory()
        self.observation: NDArray[Any] | None = None
        """The last one of the episode; None before its first."""
        self.info: Info = {}
        """Of the episode's reset."""
        self.outcome: tuple[float, bool, Info] = (0.0, False, {})
        """Of the last decision: reward, whether the episode was over, and the rest."""
        self._action: NDArray[Any] | None = None
        """Of the decision under way."""
        self._time_s: float | None = None
        self._failures = 0
        """On the way to where the slot should stand."""
        self._stood = False
        """It has come to where it should stand before, so that what fails there is an accident."""
        self._start()

    @property
    def pipe(self) -> Connection:
        """Has something to read when the process has answered, or is gone."""
        return self.process.pipe

    @property
    def deadline(self) -> float:
        """When a busy process counts as hanging [s of the monotonic clock]."""
        return self._asked + self._patience_s + (0.0 if self._ready else START_S)

    def begin(self, seed: int | None) -> None:
        """The next episode is beginning, or with a seed the first one of its sequence."""
        self._go_to(self.history.next(seed))

    def restore(self, history: SlotHistory) -> None:
        """The slot is on its way to where that history ends."""
        self._stood = False
        self._go_to(history.copy())

    def step(self, action: NDArray[Any]) -> None:
        """A decision is under way."""
        assert not self.busy, "the one before has to end first"
        assert self.observation is not None, "reset() comes before step()"
        self._action = np.array(action)
        self._go_on()

    def receive(self) -> None:
        """The answer that has come is taken in, and what is still missing is asked for.

        Raises:
            SimulationError: it crashed where that cannot be borne, or once too often.
            Exception: whatever else was raised over there.
        """
        try:
            answer = self.process.answer()
        except (EOFError, OSError):
            self._lose("its process died")
            return
        self.busy = False
        trouble = None
        if isinstance(answer, Failure):
            if not isinstance(answer.error, SimulationError):
                raise answer.error
            trouble = str(answer.error)
        elif not self._ready:
            self.spaces, self._ready = answer, True
        elif self._taken is None:
            trouble = self._take_episode(*answer)
        else:
            trouble = self._take_decision(*answer)
        if trouble is None:
            self._go_on()
        else:
            self._crash(trouble)

    def expire(self) -> None:
        """The process is given up if it hangs."""
        if time.monotonic() >= self.deadline:
            self._lose(f"no answer for {self._patience_s:g} s")

    def _start(self) -> None:
        self.process = EnvironmentProcess(self._make, self._folder, self._name)
        self._ready, self._taken = False, None
        self.busy, self._asked = True, time.monotonic()

    def _go_to(self, history: SlotHistory) -> None:
        if self.busy:  # what it was asked before is wanted no more
            self.process.end()
            self._start()
        self._turn_to(history)
        if not self.busy:
            self._go_on()

    def _turn_to(self, history: SlotHistory) -> None:
        self.history, self.info, self._time_s = history, {}, None
        self.observation, self._action = None, None
        self._taken, self._failures = None, 0

    def _go_on(self) -> None:
        """The process is asked for what the slot misses, if there is anything."""
        history, taken = self.history, self._taken
        if history.episode < 0:
            return
        try:
            if taken is None:
                self.process.ask(begin_episode, history.seed, history.episode)
            elif taken < len(history.actions):
                self.process.ask(make_decision, history.actions[taken])
            elif self._action is not None:
                self.process.ask(make_decision, self._action)
            else:
                self._failures, self._stood = 0, True
                return
            self.busy, self._asked = True, time.monotonic()
        except OSError:
            self._lose("its process died")

    def _take_episode(self, observation: Any, info: Info) -> str | None:
        self.info, self._time_s = info, info.get("time_s")
        self._taken = 0
        return self._arrive(observation)

    def _take_decision(
        self, observation: Any, reward: float, terminated: bool, truncated: bool, info: Info
    ) -> str | None:
        assert self._taken is not None
        over, replayed = terminated or truncated, self._taken < len(self.history.actions)
        if replayed and over:
            return "its replay ended early"
        self._time_s = info.get("time_s")
        self._taken += 1
        if replayed:
            return self._arrive(observation)
        assert self._action is not None
        info["TimeLimit.truncated"] = truncated and not terminated
        self.outcome = float(reward), over, info
        if over:
            info["terminal_observation"] = observation
            self._turn_to(self.history.next())
        else:
            self.history.actions.append(self._action)
            self.observation, self._action, self._failures = observation, None, 0
        return None

    def _arrive(self, observation: Any) -> str | None:
        """The end of a replay: it has to be what was seen there before."""
        if self._taken != len(self.history.actions):
            return None
        if self.observation is not None and not np.array_equal(observation, self.observation):
            return "its replay came to another observation"
        self.observation = observation
        return None

    def _lose(self, why: str) -> None:
        """The process does not answer."""
        how = self.process.end()
        last = "" if self._time_s is None else f" after {self._time_s:g} s"
        command = self.info.get("sumo_command")
        self._crash(f"{why} ({how}){last}" + (f"; replay with: {command}" if command else ""))

    def _crash(self, what: str) -> None:
        """A new process takes the slot to where it should stand, or past what crashes."""
        self.busy = False
        self.process.end()
        self._failures += 1
        scenario = self.info.get("scenario")
        place = self._name + (f", scenario {scenario!r}" if scenario else "")
        what = f"{place}, {self.history}: {what}"
        if not self._stood and (self._failures > 1 or self.history.episode < 0):
            raise SimulationError(what)  # nothing has ever worked here: that is no accident
        again = self._failures == 1 and (self._on_crash is OnCrash.replay or not self._stood)
        self._crashes.add(what, "its episode is replayed" if again else "its episode is dropped")
        if not again:
            self._drop(what)
        self._start()

    def _drop(self, what: str) -> None:
        """The episode ends here, and the decision under way with it."""
        if self._action is not None:
            info: Info = {
                "reward_terms": {},
                "scenario": self.info.get("scenario"),
                "terminal_observation": self.observation,
                "TimeLimit.truncated": True,
                "crash": what,
            }
            self.outcome = 0.0, True, info
        self._turn_to(self.history.next())
