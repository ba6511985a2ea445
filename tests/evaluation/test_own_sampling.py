"""A controller that reads lanes more often than the others, as the tree method's presets do."""

from dataclasses import replace
from pathlib import Path

from composing import experiment
from learning_cases import small_task
from traffic_cases import scenario_config

from trafficrl.config.tree_method import PREDECESSOR
from trafficrl.control.tree_method.controller import TreeMethod
from trafficrl.env.episodes import Episode
from trafficrl.env.simulate import start_episode
from trafficrl.env.task import Task
from trafficrl.evaluation.controllers import sampled_task
from trafficrl.evaluation.evaluator import Evaluator
from trafficrl.network.build import build_network
from trafficrl.runs.seeding import Split

NAME = "tree_method_predecessor"
# The 34-signal city under heavy demand, without clearance as it was published.
CITY = (
    "network=grid6_realistic",
    "scenarios=heavy_load",
    "network.signals={yellow_s: 0, all_red_s: 0, min_green_s: 1}",
    "execution.end_time=7300",
)
LOADED = (0, 1, 7, 11, 12, 16, 16, 18)
"""Streets, after each of the first cycles under the predecessor itself, in which up to 4 streets
and 3 signals had a negative cost."""


def test_the_predecessor_finds_as_many_streets_loaded_as_it_did(tmp_path: Path) -> None:
    """On our drawing of its city and its demand. Read every 5 s, 21 instead of 16 are loaded after
    the seventh cycle, and 5 have a negative cost after the sixth."""
    config = experiment(*CITY)
    network = build_network(config.network, tmp_path)
    task = sampled_task(NAME, Task.of(config, network))
    controller = TreeMethod(network, PREDECESSOR, step_s=1.0)
    episode = Episode("heavy_realtime_s1", demand=None, sumo_seed=94577666)
    running = start_episode(task, episode, tmp_path, controller=controller)
    loaded, negative_streets, negative_signals = [], [], []
    try:
        state = running.driver.start()
        for _ in LOADED:
            state = running.driver.advance(controller.decide(state))
            loads = controller.loads(state)
            loaded.append(sum(load.loaded for load in loads))
            negative_streets.append(sum(load.cost < 0 for load in loads))
            negative_signals.append(sum(sum(costs) < 0 for costs in controller.measure(state)))
    finally:
        running.close()
    assert len(loads) == 108
    assert all(abs(ours - theirs) <= 3 for ours, theirs in zip(loaded, LOADED, strict=True)), loaded
    assert 0 < max(negative_streets) <= 4
    assert 0 < max(negative_signals) <= 3


def test_an_evaluation_reads_as_often_as_each_controller_asks(tmp_path: Path) -> None:
    variants = {
        NAME: PREDECESSOR,
        "as_all": replace(PREDECESSOR, sample_s=None),
        "seven": replace(PREDECESSOR, sample_s=7.0),
    }
    task = small_task(scenarios={"light": scenario_config(num_vehicles=60)}, controllers=variants)
    task = replace(task, reward=replace(task.reward, sample_s=7.0))
    with Evaluator(task, tmp_path, workers=1) as evaluator:
        found = evaluator.run({name: name for name in variants}, split=Split.test, seeds=1)
    own, as_all, seven = (replace(one, controller="") for one in found)
    assert as_all == seven
    assert own.metrics.queue_veh != seven.metrics.queue_veh
    assert own.metrics.scheduled == seven.metrics.scheduled
