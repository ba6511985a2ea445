"""A learned policy as a controller: three callables, and no learning library in sight."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trafficrl.control.commands import Command
from trafficrl.demand.scenario import Scenario
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import TrafficState

__all__ = ["LearnedController"]


class LearnedController:
    """Encodes the state, asks the policy, decodes its action."""

    def __init__(
        self,
        encode: Callable[[TrafficState], NDArray[np.float32]],
        act: Callable[[NDArray[np.float32]], NDArray[Any]],
        decode: Callable[[NDArray[Any]], Command],
        *,
        cells_m: frozenset[float] = frozenset(),
    ) -> None:
        self.cells_m = cells_m
        """The lengths of cells that it sees [m]."""
        self._encode = encode
        self._act = act
        self._decode = decode

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """Nothing to forget: the policy has no memory."""
        return ()

    def decide(self, state: TrafficState) -> Command:
        """The policy's most likely action."""
        return self._decode(self._act(self._encode(state)))
