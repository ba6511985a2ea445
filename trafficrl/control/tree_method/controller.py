"""The tree method as a controller: once a cycle, green for the phases that serve costly trees.

Streets slower than at their largest flow are loaded and cost what their vehicles lose. Loaded
streets hang together in trees, from a trunk at a signal upstream; the cost of a tree is the cost of
the phases that serve its trunk, and their green grows at the expense of the others. All signals
have the same cycle, no offset, and their phases in the order of the plan. Nimrod Serok's study of
decentralised bottleneck prioritisation is the original; `TreeMethodConfig` says where variants
differ.
"""

from collections.abc import Sequence

import numpy as np

from trafficrl.config.tree_method import DurationRule, SpeedMean, TreeMethodConfig
from trafficrl.control.commands import Command, NextPhase, PhaseDurations
from trafficrl.control.controller import check_whole_steps
from trafficrl.control.tree_method.link_cost import LinkCost, LinkLoad
from trafficrl.control.tree_method.links import build_links
from trafficrl.control.tree_method.phase_costs import phase_costs
from trafficrl.control.tree_method.signal_plan import SignalPlan
from trafficrl.control.tree_method.speeds import (
    EdgeSpeeds,
    lane_sampled_mean_speeds,
    sampled_mean_speeds,
    vehicle_mean_speeds,
)
from trafficrl.control.tree_method.trees import build_trees, tree_costs
from trafficrl.demand.scenario import Scenario
from trafficrl.errors import NetworkError
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.runs.seeding import stream
from trafficrl.simulation.state import TrafficState

__all__ = ["TreeMethod"]


class TreeMethod:
    """Decides the greens of the next cycle from the speeds and vehicles of the last one.

    In the first cycle of an episode, with nothing measured yet, the fixed-time plan is shown.

    Args:
        network: The streets and signals.
        config: Constants and switches.
        step_s: Simulation step: greens are whole steps [s].

    Raises:
        ConfigError: the interval is too short for a signal, or no whole number of steps.
        NetworkError: there is no signal to control.
    """

    def __init__(self, network: Network, config: TreeMethodConfig, *, step_s: float) -> None:
        if not network.signals:
            raise NetworkError(f"network {network.net_file} has no signal to control")
        check_whole_steps("interval_s", config.interval_s, step_s)
        if config.sample_s is not None:
            check_whole_steps("sample_s", config.sample_s, step_s)
        if config.duration_rule is DurationRule.random:
            check_whole_steps("min_phase_s", config.min_phase_s, step_s)
        self._edge_speeds: EdgeSpeeds = {
            SpeedMean.vehicles: vehicle_mean_speeds(network),
            SpeedMean.seconds: sampled_mean_speeds,
            SpeedMean.seconds_by_lanes: lane_sampled_mean_speeds,
        }[config.speed_mean]
        self._config = config
        self._links = build_links(network, config)
        self._costs = [
            LinkCost(
                config,
                limit_kmh=link.limit_kmh,
                length_m=link.length_m,
                num_lanes=link.num_lanes,
            )
            for link in self._links
        ]
        self._tails = np.array([link.edge for link in self._links])
        self._plans = [SignalPlan(signal, config, step_s=step_s) for signal in network.signals]
        self._num_phases = [len(signal.phases) for signal in network.signals]
        self._random = stream(0, "tree_method", "random_phases")

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        """Durations are those of the plan; random phases follow from the seed."""
        for plan in self._plans:
            plan.reset()
        self._random = stream(seed, "tree_method", "random_phases")
        return ()

    def decide(self, state: TrafficState) -> Command:
        """The next cycle of all signals, or one random phase of each."""
        if self._config.duration_rule is DurationRule.random:
            return NextPhase(self._random.integers(self._num_phases), self._config.min_phase_s)
        if state.interval_s > 0:
            for plan, costs in zip(self._plans, self.measure(state), strict=True):
                plan.adapt(costs)
        green_s = np.zeros((len(self._plans), max(self._num_phases)))
        for row, plan in zip(green_s, self._plans, strict=True):
            greens = plan.greens_s()
            row[: len(greens)] = greens
        return PhaseDurations(green_s, self._config.interval_s)

    def loads(self, state: TrafficState) -> list[LinkLoad]:
        """Each street over the last interval."""
        speeds_kmh = self._edge_speeds(state)[self._tails] * 3.6
        return [
            cost.load(float(speed)) for cost, speed in zip(self._costs, speeds_kmh, strict=True)
        ]

    def measure(self, state: TrafficState) -> list[list[float]]:
        """The cost of each phase of each signal over the last interval [veh*min]."""
        loads = self.loads(state)
        trees = build_trees(self._links, [load.loaded for load in loads])
        costs = tree_costs(
            trees, [load.cost for load in loads], weight_round=self._config.weight_round
        )
        return phase_costs(
            self._links,
            costs,
            state.mean.vehicles_veh,
            num_phases=self._num_phases,
            divide_by_phases=self._config.divide_by_phases,
        )
