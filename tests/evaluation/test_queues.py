"""Mean queues by edge are those of SUMO's lanes, and add up to the metric."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from learning_cases import small_task
from result_cases import result
from traffic_cases import city, scenario_config

from trafficrl.env.episodes import Episode
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import Measure
from trafficrl.evaluation.queues import mean_queues, save_queues
from trafficrl.runs.seeding import Split


def test_the_queue_is_that_of_all_edges_and_of_those_that_are_not_let_in(tmp_path: Path) -> None:
    task = small_task(scenarios={"busy": scenario_config(num_vehicles=300)}, end_s=300.0)
    episode = Episode.of_split("busy", Split.test, 0)
    found = run_episode(task, episode, build_controller("fixed", task), tmp_path, Measure())
    queues = found.edge_queue_veh
    metrics, inside_veh = found.metrics, sum(queues.values())
    # Whoever is not let in for a second is in the backlog of that second.
    outside_veh = metrics.depart_delay_s * metrics.scheduled / task.end_s
    assert inside_veh + outside_veh == pytest.approx(metrics.queue_veh, rel=0.01)
    assert min(inside_veh, outside_veh) > 0.1 * metrics.queue_veh
    assert set(queues) <= {edge.id for edge in city().edges}
    assert min(queues.values()) > 0
    # Vehicles queue where signals stop them: on the sections that end at a stop line.
    heads = {head for street in city().streets for head in street.heads}
    assert sum(queues.get(edge, 0.0) for edge in heads) > 0.5 * inside_veh


def test_an_edge_without_a_queue_counts_as_nothing_in_the_mean(tmp_path: Path) -> None:
    assert mean_queues([{"a": 1.0, "b": 4.0}, {"a": 2.0}]) == {"b": 2.0, "a": 1.5}
    assert list(mean_queues([{"a": 1.0, "b": 4.0}])) == ["b", "a"]
    assert mean_queues([{}]) == {}


def test_the_file_has_the_means_of_each_controller_and_scenario(tmp_path: Path) -> None:
    results = [
        replace(result(name, 1.0, seed=seed, scenario=scenario), edge_queue_veh={"e": queue_veh})
        for name, scenario, seed, queue_veh in (
            ("fixed", "day", 0, 1.0),
            ("fixed", "day", 1, 2.0),
            ("fixed", "night", 0, 1 / 3),
            ("other", "day", 0, 7.0),
        )
    ]
    save_queues(results, tmp_path / "queues.json")
    assert json.loads((tmp_path / "queues.json").read_text()) == {
        "edge_queue_veh": {
            "fixed": {"day": {"e": 1.5}, "night": {"e": 0.3333}},
            "other": {"day": {"e": 7.0}},
        }
    }
