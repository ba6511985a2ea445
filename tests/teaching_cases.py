"""Teachers on the small city, with and without clearance, and what they demonstrate."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from learning_cases import ALGORITHM, small_task
from shared_cases import SHARED, shared_task
from traffic_cases import scenario_config, scratch

from trafficrl.config.algorithm import ActionConfig, ActionKind, CommonPPOConfig, PPOConfig
from trafficrl.config.controllers import MaxPressureConfig, standard_controllers
from trafficrl.config.load import plain_values
from trafficrl.config.network import GridConfig, SignalsConfig
from trafficrl.config.scenarios import DemandMode
from trafficrl.control.commands import Command
from trafficrl.demand.scenario import Scenario
from trafficrl.env.classical import build_classical
from trafficrl.env.demonstrations import Demonstrations, save_demonstrations
from trafficrl.env.episodes import TrainingEpisodes
from trafficrl.env.task import Task
from trafficrl.env.teacher import Teacher
from trafficrl.evaluation.demonstrating import demonstrate_episode, joined
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.network.programs import SignalProgram
from trafficrl.simulation.state import TrafficState

CYCLES: PPOConfig = replace(
    ALGORITHM, action=ActionConfig(kind=ActionKind.phase_durations, cycle_s=90)
)
"""Greens of the cycle of the city's own plan."""
FRESH = {"light": scenario_config(num_vehicles=60, demand=DemandMode.fresh)}


@cache
def unsafe_city() -> Network:
    """The small city, whose signals go from green to green."""
    signals = SignalsConfig(yellow_s=0, all_red_s=0)
    grid = GridConfig(
        network_seed=7, grid_dimension=3, block_size_m=120, lane_count=2, signals=signals
    )
    return build_network(grid, scratch())


def controllers(interval_s: float = SHARED.action.interval_s) -> dict[str, Any]:
    """The usual ones, but max_pressure decides when the learner does."""
    return {**standard_controllers(), "max_pressure": MaxPressureConfig(interval_s=interval_s)}


def cycle_task(**changes: Any) -> Task:
    """For policies that decide the greens of a cycle."""
    return small_task(CYCLES, **({"scenarios": FRESH, "end_s": 270.0} | changes))


def choosing_task(**changes: Any) -> Task:
    """For a shared policy, with a teacher that chooses phases."""
    values = {"scenarios": FRESH, "end_s": 200.0, "controllers": controllers()}
    return shared_task(**(values | changes))


def demonstrated(name: str, task: Task, folder: Path, *, episodes: int = 2) -> Demonstrations:
    """What the teacher does in the first training episodes, driven in this process."""
    sequence = TrainingEpisodes(task.scenarios, seed=1, slot=0, slots=1)
    chosen = [sequence.episode(index) for index in range(episodes)]
    teacher = Teacher(name, build_classical(name, task), task)
    found = {
        index: demonstrate_episode(task, episode, teacher, folder)
        for index, episode in enumerate(chosen)
    }
    return joined(chosen, found)


def saved(found: Demonstrations, algorithm: CommonPPOConfig, task: Task, file: Path) -> Path:
    """The demonstrations in a file, as `trafficrl-collect` writes it."""
    found.facts.update(
        observation=plain_values(algorithm.observation),
        action=plain_values(algorithm.action),
        reward=plain_values(task.reward),
        network_hash=task.network.hash,
    )
    save_demonstrations(file, found)
    return file


class Player:
    """Does what was noted, decision by decision, whatever it sees."""

    def __init__(self, action: Any, actions: Sequence[np.ndarray]) -> None:
        self._action, self._actions = action, actions
        self._place = 0

    def begin(self, scenario: Scenario, seed: int) -> Sequence[SignalProgram]:
        self._place = 0
        return ()

    def decide(self, state: TrafficState) -> Command:
        self._place += 1
        command: Command = self._action.decode(self._actions[self._place - 1])
        return command
