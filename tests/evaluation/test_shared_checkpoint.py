"""One model file of a shared policy, judged in cities that it has never seen."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from learning_cases import save_new_model
from shared_cases import SEEN, SHARED, shared_task
from traffic_cases import city, scenario_config, scratch

from trafficrl.config.network import GridConfig, NetFileConfig, Strategy
from trafficrl.config.resco import resco_scenarios
from trafficrl.control.commands import NextPhase
from trafficrl.control.controller import Controller, cells_seen
from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.errors import CheckpointError
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import Measure
from trafficrl.network.build import build_network
from trafficrl.network.model import Network
from trafficrl.runs.seeding import Split
from trafficrl.simulation.state import TrafficState


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("shared") / "model.zip"
    save_new_model(file, SHARED)
    return file


def published() -> Task:
    found = resco_scenarios()["cologne1"]
    network = build_network(NetFileConfig(file=str(found.net_file)), scratch())
    return shared_task(network=network, scenarios={"light": found.scenario()}, end_s=200.0)


@cache
def streets_of_one_lane() -> Network:
    """Other blocks, other lanes, and one phase for each street that comes in."""
    grid = GridConfig(
        network_seed=3,
        grid_dimension=4,
        junctions_to_remove=2,
        block_size_m=300,
        lane_count=1,
        traffic_light_strategy=Strategy.incoming,
    )
    return build_network(grid, scratch())


def generated(**changes: object) -> Task:
    busy = {"light": scenario_config(num_vehicles=150)}
    return shared_task(**({"scenarios": busy, "end_s": 200.0} | changes))


class Watched:
    """Notes the phases that a controller wants, and those that the signals show."""

    def __init__(self, controller: Controller) -> None:
        self.begin, self.cells_m = controller.begin, cells_seen(controller)
        self._controller = controller
        self.wanted: list[list[int]] = []
        self.shown: list[list[int]] = []

    def decide(self, state: TrafficState) -> NextPhase:
        command = self._controller.decide(state)
        assert isinstance(command, NextPhase)
        assert command.interval_s == SHARED.action.interval_s
        self.shown.append(state.phase.tolist())
        self.wanted.append(command.phase.tolist())
        return command


@pytest.mark.parametrize(
    "task",
    [generated(), generated(network=streets_of_one_lane()), published()],
    ids=["where it learned", "another grid", "cologne1"],
)
def test_it_decides_for_every_signal_and_is_never_refused(
    checkpoint: Path, task: Task, tmp_path: Path
) -> None:
    controller = Watched(build_controller(str(checkpoint), task))
    episode = Episode.of_split("light", Split.validation, 0)
    outcome = run_episode(task, episode, controller, tmp_path, Measure())
    assert outcome.metrics.scheduled > 20
    assert controller.shown[1:] == controller.wanted[:-1]
    assert len(controller.wanted) == 40
    wanted = np.array(controller.wanted)
    assert wanted.shape[1] == len(task.network.signals)
    assert len(np.unique(wanted)) > 1, "it chooses"


def test_the_same_file_decides_the_same_again(checkpoint: Path, tmp_path: Path) -> None:
    task, rows = generated(network=streets_of_one_lane()), []
    for _ in range(2):
        controller = Watched(build_controller(str(checkpoint), task))
        episode = Episode.of_split("light", Split.validation, 0)
        run_episode(task, episode, controller, tmp_path, Measure())
        rows.append(controller.wanted)
    assert rows[0] == rows[1]


def test_a_city_with_more_phases_than_it_has_room_for_is_refused_in_one_line(
    tmp_path: Path,
) -> None:
    few = replace(SHARED, observation=replace(SEEN, max_phases=3))
    tees = replace(city(), signals=tuple(s for s in city().signals if len(s.phases) == 3))
    save_new_model(tmp_path / "model.zip", few, network=tees)
    with pytest.raises(CheckpointError) as error:
        build_controller(str(tmp_path / "model.zip"), generated())
    cross = next(signal for signal in city().signals if len(signal.phases) == 4)
    assert str(error.value) == (
        f"{tmp_path / 'model.zip'}: algorithm.observation.max_phases must be >= 4, as many as "
        f"signal {cross.id} has, got 3"
    )
