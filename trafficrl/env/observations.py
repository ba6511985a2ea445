"""What a policy sees: named features of edges, phases, signals and the network, all in 0..1.

Shapes: L lanes, E edges, Q phases of all signals together, S signals. A feature is a function of
the state that answers one value for each member of its scope; all are divided at once by what
counts as 1.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from trafficrl.config.observation import ObservationConfig
from trafficrl.env.extensions import Extension, find_function
from trafficrl.env.lane_groups import GroupedTraffic, LaneGroups
from trafficrl.network.model import Network
from trafficrl.simulation.state import FloatArray, IntArray, TrafficState

__all__ = ["ObservationEncoder"]

CONGESTION_WAIT_S = 30.0
"""An edge is congested when its vehicles have waited longer than this in sum."""
SATURATION_VPH = 2000.0
"""Flow that counts as 1: about the saturation flow of a lane."""
BOTTLENECK_RATIO = 0.58
"""Share of the limit below which May's model has passed its capacity (29 of 50 km/h)."""
TIME_LOSS_S = 600.0
PHASE_AGE_S = 120.0
PER_PHASE = ("current_phase",)
"""Features of a signal that have one value a phase."""
WAITING_S = 120.0

Feature = Callable[[GroupedTraffic], ArrayLike]
ScaledFeature = tuple[Feature, FloatArray | float]
"""What answers the values, and what counts as 1."""


class ObservationEncoder:
    """Encodes a state as one flat vector, in the order of the configuration.

    Example:
        encoder = ObservationEncoder(config, network, end_s=3600)
        vector = encoder.encode(state)  # (encoder.size,) float32 in 0..1

    Raises:
        ConfigError: a feature that neither trafficrl nor an extension has.
    """

    def __init__(
        self,
        config: ObservationConfig,
        network: Network,
        *,
        end_s: float,
        extensions: Sequence[Extension] = (),
    ) -> None:
        self._groups = LaneGroups(network)
        self._network = network
        self._end_s = end_s
        tables = (
            ("edge", config.edge_features, self._edge_features(), [e.id for e in network.edges]),
            ("phase", config.phase_features, self._phase_features(), self._groups.phase_names),
            (
                "signal",
                config.signal_features,
                self._signal_features(),
                [s.id for s in network.signals],
            ),
            ("network", config.network_features, self._network_features(), ["network"]),
        )
        self._features: list[Feature] = []
        scales: list[FloatArray] = []
        self._start: dict[str, int] = {}
        self.cells_m: frozenset[float] = frozenset()  # nothing of the network counts in cells
        self.names: list[str] = []
        for scope, chosen, table, members in tables:
            for name in chosen:
                if name not in table:
                    table[name] = own_feature(scope, name, len(members), extensions)
                feature, scale = table[name]
                self._features.append(feature)
                self._start[name] = len(self.names)
                owners = self._groups.phase_names if name in PER_PHASE else members
                self.names += [f"{name}:{owner}" for owner in owners]
                scales.append(np.broadcast_to(np.asarray(scale, np.float64), len(owners)))
        self._scale = np.concatenate(scales)
        self.size = len(self.names)
        self.space: spaces.Space[NDArray[np.float32]] = spaces.Box(
            0.0, 1.0, (self.size,), np.float32
        )
        self._config = config

    @property
    def signal_of_phase(self) -> IntArray:
        """(Q,) index of the signal that each phase belongs to."""
        sizes = [len(signal.phases) for signal in self._network.signals]
        return np.repeat(np.arange(len(sizes)), sizes)

    @property
    def phase_columns(self) -> IntArray:
        """(Q, features) for each phase, where its own and its signal's features stand."""
        signal = self.signal_of_phase
        phase = np.arange(len(signal))
        of_phase = [name for name in PER_PHASE if name in self._config.signal_features]
        of_signal = [name for name in self._config.signal_features if name not in PER_PHASE]
        columns = [self._start[name] + phase for name in (*self._config.phase_features, *of_phase)]
        columns += [self._start[name] + signal for name in of_signal]
        return np.stack(columns, axis=1)

    def encode(self, state: TrafficState) -> NDArray[np.float32]:
        """The vector of that state; values outside 0..1 are cut."""
        traffic = GroupedTraffic(state, self._groups)
        values = np.concatenate([feature(traffic) for feature in self._features]) / self._scale
        np.maximum(values, 0.0, out=values)
        np.minimum(values, 1.0, out=values)
        vector: NDArray[np.float32] = values.astype(np.float32)
        return vector

    def _edge_features(self) -> dict[str, ScaledFeature]:
        groups = self._groups
        limit, space = groups.edge_limit_mps, groups.edge_space_veh
        bottleneck_mps = BOTTLENECK_RATIO * limit
        return {
            "speed_ratio": (lambda t: t.edge_speed_mps, limit),
            "normalized_density": (lambda t: t.edges[0], space),
            "normalized_queue": (lambda t: t.edges[1], space),
            "normalized_flow": (lambda t: t.edge_flow_vph, SATURATION_VPH),
            "congestion_flag": (lambda t: t.edges[2] > CONGESTION_WAIT_S, 1.0),
            "is_bottleneck": (lambda t: t.edge_speed_mps < bottleneck_mps, 1.0),
            "normalized_time_loss": (lambda t: t.edges[5] * t.state.interval_s, TIME_LOSS_S),
        }

    def _phase_features(self) -> dict[str, ScaledFeature]:
        groups = self._groups
        return {
            "phase_queue": (lambda t: t.waiting(1), groups.waiting_space_veh),
            "phase_vehicles": (lambda t: t.waiting(0), groups.waiting_space_veh),
            "phase_downstream": (lambda t: t.downstream_veh, groups.downstream_space_veh),
            "phase_waiting": (lambda t: t.phase_waiting_s, WAITING_S),
        }

    def _signal_features(self) -> dict[str, ScaledFeature]:
        groups = self._groups
        return {
            "current_phase": (lambda t: groups.one_hot(t.state.phase), 1.0),
            "phase_age": (lambda t: t.state.phase_age_s, PHASE_AGE_S),
        }

    def _network_features(self) -> dict[str, ScaledFeature]:
        groups = self._groups
        space = float(groups.edge_space_veh.sum())
        limit = groups.edge_limit_mps
        bottleneck_mps = BOTTLENECK_RATIO * limit
        return {
            "bottleneck_ratio": (
                lambda t: [np.count_nonzero(t.edge_speed_mps < bottleneck_mps)],
                len(limit),
            ),
            "vehicles_normalized": (lambda t: [t.state.totals.running_veh], space),
            "avg_speed_normalized": (
                lambda t: [groups.network_speed_mps(t.state.mean)],
                float(limit.max()),
            ),
            "backlog_normalized": (lambda t: [t.state.totals.backlog_veh], space),
            "time_normalized": (lambda t: [t.state.elapsed_s], self._end_s),
        }


def own_feature(
    scope: str, name: str, count: int, extensions: Sequence[Extension]
) -> ScaledFeature:
    """A feature of the user's own, which scales itself: `count` values."""
    where = f"algorithm.observation.{scope}_features"
    function = find_function(where, name, f"{scope.upper()}_FEATURES", extensions)
    return partial(function.numbers, count), 1.0
