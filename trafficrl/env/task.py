"""What a policy is trained and judged on: all that turns a network into a decision problem."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trafficrl.config.algorithm import ActionConfig
from trafficrl.config.controller import ControllerConfig
from trafficrl.config.controllers import standard_controllers
from trafficrl.config.curriculum import CurriculumConfig
from trafficrl.config.execution import Backend, Simulator
from trafficrl.config.experiment import ExperimentConfig
from trafficrl.config.observation import ObservationBase
from trafficrl.config.reward import RewardConfig
from trafficrl.config.scenarios import ScenarioConfig
from trafficrl.config.simulation import SimulationConfig
from trafficrl.env.extensions import Extension
from trafficrl.network.model import Network

__all__ = ["Task"]


@dataclass(frozen=True, slots=True)
class Task:
    """A network, its scenarios, and what is seen, done and paid there; travels to workers whole."""

    network: Network
    scenarios: Mapping[str, ScenarioConfig]
    observation: ObservationBase
    action: ActionConfig
    reward: RewardConfig
    step_s: float
    end_s: float
    """How long an episode lasts, from wherever its scenario begins [s]."""
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    controllers: Mapping[str, ControllerConfig] = field(default_factory=standard_controllers)
    """Classical controllers by name."""
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    """How much of the demand drives in training episodes."""
    extensions: tuple[Extension, ...] = ()
    """Files of the user's own, as text. `of` leaves them out: whoever may run them puts them in."""
    simulator: Simulator = Simulator.micro
    backend: Backend = Backend.libsumo
    gui: bool = False

    @classmethod
    def of(cls, config: ExperimentConfig, network: Network) -> "Task":
        """The task that an experiment describes."""
        return cls(
            network=network,
            scenarios=config.scenarios,
            observation=config.algorithm.observation,
            action=config.algorithm.action,
            reward=config.reward,
            step_s=config.network.step_length,
            end_s=config.execution.end_time,
            simulation=config.simulation,
            controllers=config.controller,
            curriculum=config.algorithm.curriculum,
            simulator=config.execution.simulator,
            backend=config.execution.backend,
            gui=config.execution.gui,
        )
