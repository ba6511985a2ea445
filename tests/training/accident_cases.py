"""Traffic environments to which something happens at known places of their episodes."""

import os
import signal
import subprocess
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from trafficrl.env.traffic_env import TrafficSignalEnv
from trafficrl.errors import SimulationError

IN_RESET = -1


class Accident(Enum):
    killed = "killed"
    stopped = "stopped"
    """As on a file system that does not answer."""
    failed = "failed"


Place = tuple[int, int]
"""Index of the episode and of the decision."""


class AccidentalEnv(TrafficSignalEnv):
    """A real environment. Each accident comes when SUMO has done its part but nobody knows yet.

    Args:
        accidents: where they happen.
        marks: folder that remembers what has happened, so that it happens once; None for always.
    """

    def __init__(
        self, accidents: Mapping[Place, Accident], marks: Path | None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._accidents = accidents
        self._marks = marks
        self._decision = 0
        # As a SUMO that hangs: it does not notice that its worker has gone.
        self._child = subprocess.Popen(["sleep", "600"], cwd=kwargs["folder"])

    def reset(self, **arguments: Any) -> Any:
        found = super().reset(**arguments)
        self._decision = 0
        self._happen(IN_RESET)
        return found

    def step(self, action: Any) -> Any:
        found = super().step(action)
        self._decision += 1
        self._happen(self._decision - 1)
        return found

    def _happen(self, decision: int) -> None:
        episode = self._episode - 1
        accident = self._accidents.get((episode, decision))
        if accident is None:
            return
        if self._marks is not None:
            mark = self._marks / f"{self._slot}-{episode}-{decision}"
            if mark.exists():
                return
            mark.touch()
        if accident is Accident.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        elif accident is Accident.stopped:
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            raise SimulationError("SUMO died at 7 s in scenario 'light'")
