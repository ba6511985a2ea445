"""The city in which the addresses of SUMO's objects show, after 700 s."""

from traffic_cases import scratch

from trafficrl.config.algorithm import ActionConfig, ActionKind
from trafficrl.config.network import NetFileConfig
from trafficrl.config.observation import ObservationConfig
from trafficrl.config.resco import resco_scenarios
from trafficrl.config.reward import RewardConfig, TermConfig
from trafficrl.env.task import Task
from trafficrl.network.build import build_network


def cologne_task(*, end_s: float) -> Task:
    """The published cologne1 for one agent."""
    published = resco_scenarios()["cologne1"]
    return Task(
        network=build_network(NetFileConfig(file=str(published.net_file)), scratch()),
        scenarios={"cologne1": published.scenario()},
        observation=ObservationConfig(phase_features=["phase_queue", "phase_vehicles"]),
        action=ActionConfig(kind=ActionKind.next_phase, interval_s=10),
        reward=RewardConfig(terms={"delay_per_signal_veh": TermConfig(weight=-1.0)}),
        step_s=1.0,
        end_s=end_s,
    )
