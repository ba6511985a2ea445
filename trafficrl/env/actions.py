"""Between a policy's action and a command for all signals; each way can be gone back.

Shapes: S signals, P the most phases of any signal, Q phases of all signals together.
"""

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from trafficrl.config.algorithm import ActionConfig, ActionKind
from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.errors import ConfigError, NetworkError
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, IntArray

__all__ = [
    "LOGIT_LIMIT",
    "ActionDecoder",
    "NextPhaseAction",
    "PhaseDurationsAction",
    "build_action",
]

LOGIT_LIMIT = 10.0


class ActionDecoder(Protocol):
    """A space, and the way from it to commands."""

    @property
    def space(self) -> spaces.Space[Any]:
        """The actions that there are."""

    def decode(self, action: NDArray[Any]) -> Command:
        """The command that an action of the space stands for."""


class NextPhaseAction:
    """MultiDiscrete: for each signal the phase until the next decision."""

    def __init__(self, config: ActionConfig, network: Network, step_s: float) -> None:
        self._interval_s = config.interval_s
        self.space: spaces.Space[Any] = spaces.MultiDiscrete(
            [len(signal.phases) for signal in network.signals]
        )

    def decode(self, action: NDArray[Any]) -> NextPhase:
        """Phases (S,) as they are."""
        return NextPhase(np.asarray(action, dtype=np.int64), self._interval_s)

    def encode(self, phase: IntArray) -> NDArray[np.int64]:
        """The action that decodes to these phases (S,)."""
        return np.asarray(phase, dtype=np.int64)


class PhaseDurationsAction:
    """Box (Q,): for each signal one number a phase that it really has; greens of the next cycle.

    The softmax of a signal's numbers shares out what the cycle has left after clearances and
    minimum greens. Greens are whole simulation steps (largest remainders), so that they fill the
    cycle exactly.
    """

    def __init__(self, config: ActionConfig, network: Network, step_s: float) -> None:
        self._cycle_s = config.cycle_s
        self._step_s = step_s
        sizes = [len(signal.phases) for signal in network.signals]
        most = max(sizes)
        self._exists = np.arange(most) < np.array(sizes)[:, None]
        self._min_green_s = np.array([signal.min_green_s for signal in network.signals])[:, None]
        clearance_s = np.array([s.clearance_s * len(s.phases) for s in network.signals])
        self._free_s = self._cycle_s - clearance_s - self._min_green_s[:, 0] * np.array(sizes)
        for signal, free_s in zip(network.signals, self._free_s, strict=True):
            if free_s < 0:
                raise ConfigError(
                    f"algorithm.action.cycle_s {self._cycle_s:g} [s] is too short for signal "
                    f"{signal.id}: {len(signal.phases)} phases need >= {self._cycle_s - free_s:g}"
                )
        count = sum(sizes)
        self.space: spaces.Space[Any] = spaces.Box(-LOGIT_LIMIT, LOGIT_LIMIT, (count,), np.float32)

    def decode(self, action: NDArray[Any]) -> PhaseDurations:
        """Greens (S, P) that fill the cycle."""
        logits = np.full(self._exists.shape, -np.inf)
        logits[self._exists] = action
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        green_s = self._whole_steps(shares * self._free_s[:, None])
        green_s += np.where(self._exists, self._min_green_s, 0.0)
        return PhaseDurations(green_s, self._cycle_s)

    def encode(self, green_s: FloatArray) -> NDArray[np.float32]:
        """The action that decodes to these greens (S, P) [s]."""
        extra_s = np.where(self._exists, green_s - self._min_green_s, 0.0)
        total_s = np.maximum(extra_s.sum(axis=1, keepdims=True), self._step_s)
        shares = np.maximum(extra_s / total_s, np.exp(-2 * LOGIT_LIMIT))
        logits = np.log(shares)
        # Shifting all numbers of a signal changes nothing: the largest goes to the upper limit.
        logits += LOGIT_LIMIT - logits.max(axis=1, keepdims=True)
        action: NDArray[np.float32] = logits[self._exists].astype(np.float32)
        return action

    def _whole_steps(self, extra_s: FloatArray) -> FloatArray:
        """Rounded to whole steps; the steps left over go to the largest remainders."""
        steps = np.floor(extra_s / self._step_s + 1e-9)
        remainder = extra_s / self._step_s - steps
        wanted = np.rint(self._free_s / self._step_s)
        left = (wanted - steps.sum(axis=1)).astype(np.int64)
        rank = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
        steps += rank < left[:, None]
        whole_s: FloatArray = steps * self._step_s
        return whole_s


KINDS: dict[ActionKind, type[NextPhaseAction] | type[PhaseDurationsAction]] = {
    ActionKind.next_phase: NextPhaseAction,
    ActionKind.phase_durations: PhaseDurationsAction,
}


def build_action(config: ActionConfig, network: Network, step_s: float) -> ActionDecoder:
    """The action of that kind for all signals of the network.

    Raises:
        ConfigError: the cycle is too short for the phases of a signal.
        NetworkError: there is no signal to act on.
    """
    if not network.signals:
        raise NetworkError(f"network {network.net_file} has no signal to control")
    return KINDS[config.kind](config, network, step_s)
