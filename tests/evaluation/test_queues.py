"""Mean queues by edge are those of SUMO's lanes, and add up to the metric."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from learning_cases import small_task
from result_cases import result
from traffic_cases import city, scenario_config

from trafficrl.env.episodes import Episode
from trafficrl.env.task import Task
from trafficrl.evaluation.controllers import build_controller
from trafficrl.evaluation.episode import run_episode
from trafficrl.evaluation.outcome import Measure, SliceQueues
from trafficrl.evaluation.queues import mean_queues, mean_slice_queues, save_queues, slice_queues
from trafficrl.runs.seeding import Split


def test_the_queue_is_that_of_all_edges_and_of_those_that_are_not_let_in(tmp_path: Path) -> None:
    task = small_task(scenarios={"busy": scenario_config(num_vehicles=300)}, end_s=300.0)
    episode = Episode.of_split("busy", Split.test, 0)
    measure = Measure(slice_s=70.0)
    found = run_episode(task, episode, build_controller("fixed", task), tmp_path, measure)
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
    # Over time the queues come to the same, whatever decisions reach from one slice to the next.
    over_time = found.slice_queues
    assert over_time is not None
    lengths_s = [70.0, 70.0, 70.0, 70.0, 20.0]
    assert {len(row) for row in over_time.edge_queue_veh.values()} == {len(lengths_s)}
    for edge, mean_veh in queues.items():
        row = over_time.edge_queue_veh.get(edge, [0.0] * len(lengths_s))
        vehicle_seconds = sum(a * b for a, b in zip(row, lengths_s, strict=True))
        assert vehicle_seconds / 300.0 == pytest.approx(mean_veh, abs=1e-4)
    totals = np.sum(list(over_time.edge_queue_veh.values()), axis=0)
    assert totals[0] < 0.7 * totals[2], "the streets were empty at first"


def test_an_edge_without_a_queue_counts_as_nothing_in_the_mean(tmp_path: Path) -> None:
    assert mean_queues([{"a": 1.0, "b": 4.0}, {"a": 2.0}]) == {"b": 2.0, "a": 1.5}
    assert list(mean_queues([{"a": 1.0, "b": 4.0}])) == ["b", "a"]
    assert mean_queues([{}]) == {}


def standing(task: Task, *decisions: tuple[float, float, float]) -> list[Any]:
    """States in which so many vehicles stood on the first lane alone: (at [s], for [s], [veh])."""
    lanes = np.zeros(len(task.network.lanes))
    return [
        SimpleNamespace(
            elapsed_s=at_s,
            interval_s=for_s,
            mean=SimpleNamespace(queue_veh=np.where(np.arange(len(lanes)) == 0, veh, lanes)),
        )
        for at_s, for_s, veh in decisions
    ]


@pytest.mark.parametrize(
    ("length_s", "slice_s", "expected"),
    [
        (100.0, 50.0, (2.0, 1.2)),
        (100.0, 100.0, (1.6,)),
        (100.0, 30.0, (2.0, 2.0, 1.3333, 0.0)),
        (90.0, 900.0, (1.7778,)),
    ],
)
def test_a_decision_counts_in_each_slice_as_long_as_it_lasts(
    length_s: float, slice_s: float, expected: tuple[float, ...]
) -> None:
    task = small_task()
    states = standing(task, (40.0, 40.0, 2.0), (80.0, 40.0, 2.0))
    found = slice_queues(states, task.network, length_s=length_s, slice_s=slice_s)
    assert found.slice_s == slice_s
    assert found.edge_queue_veh == {task.network.edges[0].id: expected}


def test_short_slices_of_a_long_episode_are_taken_together() -> None:
    task = small_task()
    states = standing(task, (7200.0, 7200.0, 3.0))
    found = slice_queues(states, task.network, length_s=7200.0, slice_s=1.0)
    assert found.slice_s == 36.0
    assert found.edge_queue_veh == {task.network.edges[0].id: (3.0,) * 200}


def test_means_over_time_are_of_episodes_that_all_kept_them() -> None:
    one = SliceQueues(60.0, {"a": (1.0, 2.0)})
    other = SliceQueues(60.0, {"a": (3.0, 0.0), "b": (0.0, 4.0)})
    assert mean_slice_queues([one, other]) == SliceQueues(60.0, {"a": (2.0, 1.0), "b": (0.0, 2.0)})
    assert mean_slice_queues([one, None]) is None
    assert mean_slice_queues([one, SliceQueues(30.0, {})]) is None


def test_the_file_has_the_means_of_each_controller_and_scenario(tmp_path: Path) -> None:
    results = [
        replace(
            result(name, 1.0, seed=seed, scenario=scenario),
            edge_queue_veh={"e": queue_veh},
            slice_queues=SliceQueues(60.0, {"e": (0.0, 2 * queue_veh)}),
        )
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
        },
        "slice_s": 60.0,
        "slice_queue_veh": {
            "fixed": {"day": {"e": [0, 3.0]}, "night": {"e": [0, 0.667]}},
            "other": {"day": {"e": [0, 14.0]}},
        },
    }
    save_queues([replace(one, slice_queues=None) for one in results], tmp_path / "queues.json")
    assert list(json.loads((tmp_path / "queues.json").read_text())) == ["edge_queue_veh"]
