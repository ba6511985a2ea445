"""From a configured observation to what encodes it."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from trafficrl.config.algorithm import ActionConfig, AlgorithmConfig
from trafficrl.config.observation import ObservationBase, ObservationConfig
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.extensions import Extension
from trafficrl.env.observations import ObservationEncoder
from trafficrl.env.signal_observations import SignalObservations
from trafficrl.env.task import Task
from trafficrl.network.model import Network
from trafficrl.simulation.state import TrafficState

__all__ = ["Encoder", "build_encoder", "task_encoder"]


class Encoder(Protocol):
    """A space, and the way from states to it."""

    @property
    def space(self) -> spaces.Space[Any]:
        """What there is to be seen."""

    @property
    def names(self) -> list[str]:
        """Of the features, in the order of a row."""

    @property
    def cells_m(self) -> frozenset[float]:
        """The lengths of cells before stop lines that it looks at [m]."""

    def encode(self, state: TrafficState) -> NDArray[np.float32]:
        """What is seen of that state."""


def build_encoder(
    config: ObservationBase,
    action: ActionConfig,
    network: Network,
    *,
    end_s: float,
    step_s: float,
    extensions: Sequence[Extension] = (),
) -> Encoder:
    """One row (features,) of the whole network, or one of each signal (S, features).

    Raises:
        NetworkError: a signal has more phases than the observation has room for.
        ConfigError: a feature that neither trafficrl nor an extension has.
    """
    if isinstance(config, SignalObservationConfig):
        return SignalObservations(config, action, network, step_s=step_s, extensions=extensions)
    assert isinstance(config, ObservationConfig)
    return ObservationEncoder(config, network, end_s=end_s, extensions=extensions)


def task_encoder(task: Task, algorithm: AlgorithmConfig | None = None) -> Encoder:
    """`build_encoder` for the task: of what it says is seen and decided, or another algorithm."""
    chosen = task if algorithm is None else algorithm
    return build_encoder(
        chosen.observation,
        chosen.action,
        task.network,
        end_s=task.end_s,
        step_s=task.step_s,
        extensions=task.extensions,
    )
