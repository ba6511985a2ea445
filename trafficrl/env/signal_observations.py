"""What a policy sees of each signal: one row a signal, which means the same on every network.

A row is [may be chosen (P)][exists (P)][features of phases (P * F)][features of the signal (G)]
[features of the network, for the value (V)]: phases that a signal does not have are zeros. What may
be chosen is what the driver would not refuse and `algorithm.action.order` allows; the policy gives
all else no probability at all.

Shapes: S signals, P `max_phases`, Q phases of all signals together, L lanes, F features of one
phase, G features of one signal, V of the network.
"""

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from trafficrl.config.algorithm import ActionConfig
from trafficrl.config.shared_policy import SignalObservationConfig
from trafficrl.env.extensions import Extension, find_function
from trafficrl.env.phase_places import PhasePlaces
from trafficrl.env.signal_features import phase_features, signal_features, value_features
from trafficrl.errors import NetworkError
from trafficrl.network.model import Network
from trafficrl.network.surroundings import Surroundings
from trafficrl.simulation.state import TrafficState

__all__ = ["MOST", "SignalObservations", "check_room"]

MOST = 10.0
"""No feature is larger."""


class SignalObservations:
    """Encodes a state as one row for each signal.

    Args:
        config: which features.
        action: what may be chosen.
        network: whose signals.
        step_s: of the simulation [s].
        extensions: files of the user's own.

    Raises:
        NetworkError: a signal has more phases than a row has room for.
        ConfigError: a feature that neither trafficrl nor an extension has.

    Example:
        encoder = SignalObservations(config, action, network, step_s=1.0)
        rows = encoder.encode(state)  # (S, K) float32
    """

    def __init__(
        self,
        config: SignalObservationConfig,
        action: ActionConfig,
        network: Network,
        *,
        step_s: float,
        extensions: Sequence[Extension] = (),
    ) -> None:
        check_room(network, config.max_phases)
        self._phases = PhasePlaces(network, config.max_phases, action, step_s=step_s)
        around = Surroundings.of(network, config.reach_m)
        of_phase = phase_features(network, around, self._phases, config.cell_m)
        of_signal = signal_features(network, around)
        of_value = value_features(network, around)
        for scope, chosen, known, count in (
            ("phase", config.phase_features, of_phase, self._phases.count),
            ("signal", config.signal_features, of_signal, len(network.signals)),
            ("value", config.value_features, of_value, 1),
        ):
            where, table = f"algorithm.observation.{scope}_features", f"LOCAL_{scope.upper()}"
            for name in [name for name in chosen if name not in known]:
                own = find_function(where, name, f"{table}_FEATURES", extensions)
                known[name] = own.for_network(network, count)
        self.cells_m = config.cells_m
        self._phase_features = [of_phase[name] for name in config.phase_features]
        self._signal_features = [of_signal[name] for name in config.signal_features]
        self._value_features = [of_value[name] for name in config.value_features]
        places = range(config.max_phases)
        self.names = [f"{name}:{place}" for name in ("may_be_chosen", "exists") for place in places]
        self.names += [f"{name}:{place}" for place in places for name in config.phase_features]
        self.names += [*config.signal_features, *config.value_features]
        self.space: spaces.Space[NDArray[np.float32]] = spaces.Box(
            0.0, MOST, (len(network.signals), len(self.names)), np.float32
        )

    def encode(self, state: TrafficState) -> NDArray[np.float32]:
        """(S, K) rows of that state."""
        places = self._phases
        table = np.zeros((*places.exists.shape, len(self._phase_features)))
        table[places.exists] = np.stack([read(state) for read in self._phase_features], axis=1)
        count = len(table)
        rows = np.concatenate(
            (
                places.may_be_chosen(state),
                places.exists,
                table.reshape(count, -1),
                *(read(state)[:, None] for read in self._signal_features),
                *(np.tile(read(state), (count, 1)) for read in self._value_features),
            ),
            axis=1,
        )
        clipped: NDArray[np.float32] = np.clip(rows, 0.0, MOST).astype(np.float32)
        return clipped


def check_room(network: Network, max_phases: int) -> None:
    """Return when no signal has more phases than that.

    Raises:
        NetworkError: one has.
    """
    for signal in network.signals:
        if len(signal.phases) > max_phases:
            raise NetworkError(
                f"algorithm.observation.max_phases must be >= {len(signal.phases)}, as many as "
                f"signal {signal.id} has, got {max_phases}"
            )
